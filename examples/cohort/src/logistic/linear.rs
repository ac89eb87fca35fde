//! Symmetric matrices and their Cholesky factors.

/// A square matrix, row by row. Of a symmetric one only the lower half is used.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

/// A lower triangular matrix L; stands for L times its transpose.
#[derive(Debug)]
pub(crate) struct Factor(Matrix);

impl Matrix {
    pub(crate) fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    /// Adds `weight * row * row^T`.
    pub(crate) fn add_square(&mut self, row: &[f64], weight: f64) {
        for (cells, left) in self.cells.chunks_exact_mut(self.size).zip(row) {
            for (cell, right) in cells.iter_mut().zip(row) {
                *cell += weight * left * right;
            }
        }
    }

    /// Adds `value` to the cell `at` of the diagonal.
    pub(crate) fn add_diagonal(&mut self, at: usize, value: f64) {
        self.cells[at * self.size + at] += value;
    }

    /// The Cholesky factor, or `None` unless the matrix is (numerically) positive definite.
    pub(crate) fn cholesky(&self) -> Option<Factor> {
        let size = self.size;
        let mut lower = Self::zero(size);
        for i in 0..size {
            for j in 0..=i {
                let sum: f64 = (0..j).map(|k| lower.cell(i, k) * lower.cell(j, k)).sum();
                let rest = self.cell(i, j) - sum;
                lower.cells[i * size + j] = if i != j {
                    rest / lower.cell(j, j)
                } else if rest > self.cell(i, i) * SINGULAR {
                    rest.sqrt()
                } else {
                    return None;
                };
            }
        }
        Some(Factor(lower))
    }

    fn cell(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }
}

/// What is left of a diagonal cell, relative to it, when the row depends on the rows above and only rounding is left.
const SINGULAR: f64 = 1e-13;

impl Factor {
    /// Solves `L * L^T * x = right`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x = self.forward(right);
        for i in (0..self.0.size).rev() {
            let sum: f64 = (i + 1..self.0.size).map(|k| self.0.cell(k, i) * x[k]).sum();
            x[i] = (x[i] - sum) / self.0.cell(i, i);
        }
        x
    }

    /// The cell `at` of the diagonal of the inverse: the squared length of column `at` of the inverse of L.
    pub(crate) fn inverse_diagonal(&self, at: usize) -> f64 {
        let mut unit = vec![0.0; self.0.size];
        unit[at] = 1.0;
        self.forward(&unit).iter().map(|value| value * value).sum()
    }

    fn forward(&self, right: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = right.to_vec();
        for i in 0..self.0.size {
            let sum: f64 = (0..i).map(|k| self.0.cell(i, k) * x[k]).sum();
            x[i] = (x[i] - sum) / self.0.cell(i, i);
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::Matrix;

    fn example() -> Matrix {
        Matrix { size: 2, cells: vec![4.0, 2.0, 2.0, 5.0] }
    }

    #[test]
    fn solves_a_small_system() {
        let x = example().cholesky().unwrap().solve(&[10.0, 13.0]);
        assert!((x[0] - 1.5).abs() < 1e-15 && (x[1] - 2.0).abs() < 1e-15);
    }

    #[test]
    fn knows_the_diagonal_of_the_inverse() {
        let factor = example().cholesky().unwrap();
        assert!((factor.inverse_diagonal(0) - 5.0 / 16.0).abs() < 1e-15);
        assert!((factor.inverse_diagonal(1) - 4.0 / 16.0).abs() < 1e-15);
    }

    #[test]
    fn refuses_a_singular_matrix() {
        assert!(Matrix { size: 2, cells: vec![1.0, 1.0, 1.0, 1.0] }.cholesky().is_none());
    }

    #[test]
    fn adds_weighted_squares() {
        let mut matrix = Matrix::zero(2);
        matrix.add_square(&[1.0, 2.0], 0.5);
        matrix.add_diagonal(1, 1.0);
        assert_eq!(matrix.cells, [0.5, 1.0, 1.0, 3.0]);
    }
}
