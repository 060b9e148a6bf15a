"""The labels that users give: their store, files that come in and go out, what to label next."""
