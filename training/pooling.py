"""Make a mean-pooled encoder an ordinary `BertForSequenceClassification`.

e5 is trained for the mean of its token states, so its [CLS] means nothing, while
`BertForSequenceClassification` reads nothing but [CLS]. One more layer mends it without
any training: its attention is uniform (queries and keys are zero), so that [CLS] receives the
mean of all tokens; its feed-forward part starts as the identity; and the pooler standardises
the mean. On that a logistic regression is fitted and becomes the head: fine-tuning starts from
a working classifier, not from noise (LP-FT: Kumar et al. 2022, "Fine-Tuning can Distort
Pretrained Features and Underperform Out-of-Distribution").
"""

from __future__ import annotations

import copy

import torch
from transformers import BertForSequenceClassification, BertModel

# How much louder the mean of the tokens is than [CLS]'s own state, which is added to it.
MEAN_GAIN = 20.0
# Keeps the standardised features where tanh is nearly linear.
POOLER_SCALE = 0.4


@torch.no_grad()
def with_mean_pooling(encoder: BertModel, labels: list[str]) -> BertForSequenceClassification:
    """A classifier whose [CLS] is the mean of `encoder`'s token states; the head is untrained."""
    config = copy.deepcopy(encoder.config)
    config.num_hidden_layers += 1
    config.mean_pooled = False  # from here on [CLS] is what counts
    config.problem_type = "multi_label_classification"
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    model = BertForSequenceClassification(config)
    model.bert.load_state_dict(encoder.state_dict(), strict=False)
    layer = model.bert.encoder.layer[-1]
    layer.load_state_dict(encoder.encoder.layer[-1].state_dict())
    width = config.hidden_size
    attention, output = layer.attention.self, layer.attention.output
    for dense in (attention.query, attention.key, layer.output.dense):
        dense.weight.zero_()
        dense.bias.zero_()
    attention.value.weight.copy_(torch.eye(width))
    output.dense.weight.copy_(MEAN_GAIN * torch.eye(width))
    for bias in (attention.value.bias, output.dense.bias):
        bias.zero_()
    for norm in (output.LayerNorm, layer.output.LayerNorm):
        norm.weight.fill_(1.0)
        norm.bias.zero_()
    model.bert.pooler.dense.weight.copy_(torch.eye(width))
    model.bert.pooler.dense.bias.zero_()
    return model


@torch.no_grad()
def standardize_pooler(model: BertForSequenceClassification, states: torch.Tensor) -> None:
    """Set the pooler to standardise [CLS], given examples of it, shape (windows, hidden)."""
    gain = POOLER_SCALE / states.std(0)
    model.bert.pooler.dense.weight.copy_(torch.diag(gain))
    model.bert.pooler.dense.bias.copy_(-states.mean(0) * gain)
