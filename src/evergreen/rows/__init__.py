"""Which rows: windows, splits, labels, labelled rows, fingerprints."""
