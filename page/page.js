// A sentence of the summary shows where it stands; the button copies the summary. The clipboard is
// closed to pages that come over plain HTTP from another machine, so there is the old way, too.
{
  document.documentElement.lang = 'vi';
  const PART = '.chude-summary [data-source]', BUTTON = '.chude-summary button';
  const source = part => part.closest('.chude')
    .querySelector(`[data-sentence="${part.dataset.source}"]`);
  const show = (event, on) => {
    const part = event.target.closest?.(PART);
    if (part && (on || part !== document.activeElement))
      source(part)?.classList.toggle('flash', on);
  };
  const go = part => {
    document.querySelectorAll('.chude-text .flash').forEach(e => e.classList.remove('flash'));
    source(part)?.classList.add('flash');
    source(part)?.scrollIntoView({block: 'center', behavior: 'smooth'});
  };
  const copy = async button => {
    const text = button.parentElement.querySelector('p').innerText;
    try { await navigator.clipboard.writeText(text); } catch {
      const area = document.body.appendChild(document.createElement('textarea'));
      area.value = text; area.select(); document.execCommand('copy'); area.remove();
    }
    button.textContent = 'Đã chép';
  };
  document.addEventListener('mouseover', event => show(event, true));
  document.addEventListener('mouseout', event => show(event, false));
  document.addEventListener('click', event => {
    const part = event.target.closest?.(PART), button = event.target.closest?.(BUTTON);
    if (part) go(part);
    if (button) copy(button);
  });
  document.addEventListener('keydown', event => {
    const part = event.key === 'Enter' && event.target.closest?.(PART);
    if (part) go(part);
  });
}
