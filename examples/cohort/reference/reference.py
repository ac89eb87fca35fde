"""The answer of `cohort` for the shipped table, computed without any of its code, with the standard library only.

    python3 reference.py ../data/breast-cancer.csv > expected.txt

It is an independent implementation, not a port, and it computes with 50 decimal digits instead of doubles, so that
what it prints is the exact answer rounded once:

- descriptive statistics come from the module `statistics` (`mean`, `stdev`, `quantiles`);
- the regression is fitted to the *raw* columns, with the penalty lambda/2 * sum((sd_j * a_j)^2) that is the same model
  as lambda/2 * sum(b_j^2) for standardized columns; the program standardizes first. Coefficients and covariance are
  transformed to the standardized scale at the end;
- linear systems are solved by Gauss-Jordan elimination with row pivoting; the program uses Cholesky factors;
- the area under the curve counts all pairs; the program sums ranks.

At the end the gradient must be zero to 30 digits, which proves the fit: the objective is strictly concave.
"""

import statistics
import sys
from decimal import Decimal, getcontext

getcontext().prec = 50
LAMBDA = Decimal(1)
OUTCOME, POSITIVE = "diagnosis", "M"


def number(value):
    """Six significant digits, like `%#.6g` of C, but rounded from all digits instead of a double."""
    mantissa, exponent = f"{value:.5e}".split("e")
    exponent = int(exponent)
    if value == 0:
        return "0.00000"
    if -4 <= exponent < 6:
        return f"{value:.{5 - exponent}f}"
    return f"{mantissa}e{exponent:+03d}"


def read(path):
    with open(path, encoding="utf-8") as file:
        header, *rows = [line.split(",") for line in file.read().splitlines()]
    at = header.index(OUTCOME)
    names = header[:at] + header[at + 1:]
    y = [int(row[at] == POSITIVE) for row in rows]
    x = [[Decimal(cell) for i, cell in enumerate(row) if i != at] for row in rows]
    return names, x, y


def invert(matrix):
    """Gauss-Jordan with row pivoting."""
    size = len(matrix)
    work = [row[:] + [Decimal(int(i == j)) for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda i: abs(work[i][column]))
        work[column], work[pivot] = work[pivot], work[column]
        scale = work[column][column]
        work[column] = [value / scale for value in work[column]]
        for i in range(size):
            if i != column and work[i][column] != 0:
                factor = work[i][column]
                work[i] = [a - factor * b for a, b in zip(work[i], work[column])]
    return [row[size:] for row in work]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def fit(x, y, sds):
    """Newton's method on raw columns; returns coefficients, their covariance and the log-likelihood."""
    rows = [[Decimal(1), *row] for row in x]
    size = len(rows[0])
    penalty = [Decimal(0), *[LAMBDA * sd * sd for sd in sds]]
    a = [Decimal(0)] * size
    for _ in range(60):
        p = [1 / (1 + (-t).exp()) for t in times(rows, a)]
        gradient = [sum((yi - pi) * row[j] for yi, pi, row in zip(y, p, rows)) - penalty[j] * a[j] for j in range(size)]
        information = [[Decimal(0)] * size for _ in range(size)]
        for row, pi in zip(rows, p):
            w = pi * (1 - pi)
            for i in range(size):
                wi = w * row[i]
                for j in range(i + 1):
                    information[i][j] += wi * row[j]
        for i in range(size):
            information[i][i] += penalty[i]
            for j in range(i):
                information[j][i] = information[i][j]
        covariance = invert(information)
        largest = max(abs(g) for g in gradient)
        if largest < Decimal("1e-30"):
            print(f"largest gradient component {largest:.1e}", file=sys.stderr)
            return a, covariance, sum((pi if yi else 1 - pi).ln() for yi, pi in zip(y, p)), p
        a = [ai + step for ai, step in zip(a, times(covariance, gradient))]
    raise SystemExit("no convergence")


def main():
    names, x, y = read(sys.argv[1])
    columns = list(zip(*x))
    first = max(len(name) for name in [*names, "(intercept)"])
    positives = sum(y)
    print(f"{len(y)} patients, {len(names)} features")
    print(f"{OUTCOME} = {POSITIVE}: {positives}, other: {len(y) - positives}")

    def line(prefix, cells):
        print(prefix + "".join(f" {cell:>13}" for cell in cells))

    print("\nDescriptive statistics\n")
    line(f"{'feature':{first}} {'group':5} {'n':>6}", ["mean", "sd", "min", "q1", "median", "q3", "max"])
    for name, column in zip(names, columns):
        for label, wanted in ((POSITIVE, 1), ("other", 0)):
            values = [value for value, yi in zip(column, y) if yi == wanted]
            quartiles = statistics.quantiles(values, n=4, method="inclusive")
            cells = [statistics.mean(values), statistics.stdev(values), min(values), *quartiles, max(values)]
            line(f"{name:{first}} {label:5} {len(values):>6}", map(number, cells))

    means = [statistics.mean(column) for column in columns]
    sds = [statistics.stdev(column) for column in columns]
    a, covariance, log_likelihood, p = fit(x, y, sds)
    # b_0 = a_0 + sum(mean_j * a_j), b_j = sd_j * a_j, as a matrix, for the covariance.
    size = len(a)
    transform = [[Decimal(0)] * size for _ in range(size)]
    transform[0] = [Decimal(1), *means]
    for j in range(1, size):
        transform[j][j] = sds[j - 1]
    b = times(transform, a)
    errors = [sum(u * v for u, v in zip(row, times(covariance, row))).sqrt() for row in transform]

    print(f"\nLogistic regression of {OUTCOME} = {POSITIVE} on standardized features, L2 penalty lambda = {LAMBDA}\n")
    line(f"{'term':{first}}", ["coefficient", "std. error", "z", "odds ratio"])
    for name, bj, error in zip(["(intercept)", *names], b, errors):
        line(f"{name:{first}}", map(number, [bj, error, bj / error, bj.exp()]))

    right = sum((pi >= Decimal("0.5")) == bool(yi) for pi, yi in zip(p, y))
    pairs = [(pi, pj) for pi, yi in zip(p, y) if yi for pj, yj in zip(p, y) if not yj]
    wins = sum(Decimal(1) if pi > pj else Decimal("0.5") if pi == pj else Decimal(0) for pi, pj in pairs)
    print(f"\nlog-likelihood {number(log_likelihood)}")
    print(f"accuracy at probability 0.5: {number(Decimal(right) / len(y))} ({right} of {len(y)})")
    print(f"area under the ROC curve: {number(wins / len(pairs))}")


main()
