"""From the labels of a store to a new version of the classifier, beside the one in use."""
