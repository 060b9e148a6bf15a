"""Logistic regression that starts from what is known already.

scikit-learn's has no offset; with one, what is fitted is only the difference from a model that
exists, and an L2 penalty draws it back to that model, not to zero.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def fit_difference(
    inputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    penalty: float,
    offset: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Coefficients and intercept of the least weighted log loss.

    Args:
        inputs: shape (examples, features).
        targets: probabilities, shape (examples,). weights: of the examples, shape (examples,).
        penalty: of half the squared coefficients and intercept.
        offset: logits that are known already, shape (examples,).
    """
    inputs = np.column_stack([inputs, np.ones(len(inputs))])

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        logits = inputs @ point + offset
        loss = weights @ (np.logaddexp(0, logits) - targets * logits)
        gradient = inputs.T @ (weights * (expit(logits) - targets))
        return loss + penalty / 2 * point @ point, gradient + penalty * point

    start = np.zeros(inputs.shape[1])
    found = minimize(objective, start, jac=True, method="L-BFGS-B").x
    return found[:-1], float(found[-1])
