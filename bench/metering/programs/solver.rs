//! Linear equations by elimination with pivots, over a generic matrix, and their residual; traits called dynamically.
struct Matrix {
    size: usize,
    cells: Vec<f64>,
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (row, column): (usize, usize)) -> &f64 {
        &self.cells[row * self.size + column]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut f64 {
        &mut self.cells[row * self.size + column]
    }
}

trait Source {
    fn next(&mut self) -> f64;
}
struct Linear(u32);
struct Waves(f64);
impl Source for Linear {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1664525).wrapping_add(1013904223);
        (self.0 >> 8) as f64 / 65536.0 - 128.0
    }
}
impl Source for Waves {
    fn next(&mut self) -> f64 {
        self.0 += 0.618;
        (self.0 - self.0.floor()) * 10.0 - 5.0
    }
}

fn fill(size: usize, source: &mut dyn Source) -> Matrix {
    Matrix { size, cells: (0..size * size).map(|_| source.next()).collect() }
}

fn solve(mut a: Matrix, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = a.size;
    for k in 0..n {
        let pivot = (k..n).max_by(|&i, &j| a[(i, k)].abs().total_cmp(&a[(j, k)].abs()))?;
        if a[(pivot, k)].abs() < 1e-9 {
            return None;
        }
        for column in 0..n {
            a.cells.swap(k * n + column, pivot * n + column);
        }
        b.swap(k, pivot);
        for row in k + 1..n {
            let factor = a[(row, k)] / a[(k, k)];
            for column in k..n {
                a[(row, column)] -= factor * a[(k, column)];
            }
            b[row] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|column| a[(k, column)] * b[column]).sum();
        b[k] = (b[k] - known) / a[(k, k)];
    }
    Some(b)
}

#[no_mangle]
pub extern "C" fn run(rounds: u32) -> u32 {
    let mut sources: [Box<dyn Source>; 2] = [Box::new(Linear(7)), Box::new(Waves(0.1))];
    let mut sum = 0.0;
    for round in 0..rounds as usize {
        let size = 12 + round % 5;
        let source = sources[round % 2].as_mut();
        let a = fill(size, source);
        let b: Vec<f64> = (0..size).map(|_| source.next()).collect();
        sum += solve(a, b).map_or(1.0, |x| x.iter().map(|v| v.abs().min(100.0)).sum::<f64>());
    }
    (sum * 100.0) as u64 as u32
}
