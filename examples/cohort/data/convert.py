"""Turns the copy of the table inside the PyPI package scikit-learn into data/breast-cancer.csv.

    pip download --no-deps scikit-learn
    unzip scikit_learn-*.whl sklearn/datasets/data/breast_cancer.csv
    python3 convert.py < sklearn/datasets/data/breast_cancer.csv > breast-cancer.csv

That copy has one line `569,30,malignant,benign` instead of column names, and the class last, as 0 (malignant) or
1 (benign). Here the class comes first, as the letter of the original file (M or B), and the columns have their names.
The text of every number is kept as it is.
"""

import sys

FEATURES = [
    "radius", "texture", "perimeter", "area", "smoothness",
    "compactness", "concavity", "concave_points", "symmetry", "fractal_dimension",
]
COLUMNS = [f"{feature}_{kind}" for kind in ("mean", "se", "worst") for feature in FEATURES]

lines = sys.stdin.read().splitlines()
assert lines[0] == "569,30,malignant,benign", lines[0]
print(",".join(["diagnosis", *COLUMNS]))
for line in lines[1:]:
    *values, target = line.split(",")
    assert len(values) == len(COLUMNS), line
    print(",".join([{"0": "M", "1": "B"}[target], *values]))
