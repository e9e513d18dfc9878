//! Reads arithmetic into a tree of boxes, derives and simplifies it, computes with it and prints it.
#[derive(Clone)]
enum Term {
    Number(f64),
    Variable,
    Sum(Box<Term>, Box<Term>),
    Product(Box<Term>, Box<Term>),
    Quotient(Box<Term>, Box<Term>),
}
use Term::*;

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    fn sum(&mut self) -> Result<Term, String> {
        let mut left = self.product()?;
        while let Some(sign @ ('+' | '-')) = self.rest.peek().copied() {
            self.rest.next();
            let right = self.product()?;
            let right = if sign == '-' { Product(Box::new(Number(-1.0)), Box::new(right)) } else { right };
            left = Sum(Box::new(left), Box::new(right));
        }
        Ok(left)
    }
    fn product(&mut self) -> Result<Term, String> {
        let mut left = self.atom()?;
        while let Some(sign @ ('*' | '/')) = self.rest.peek().copied() {
            self.rest.next();
            let right = Box::new(self.atom()?);
            left = if sign == '*' { Product(Box::new(left), right) } else { Quotient(Box::new(left), right) };
        }
        Ok(left)
    }
    fn atom(&mut self) -> Result<Term, String> {
        match self.rest.next() {
            Some('x') => Ok(Variable),
            Some('(') => {
                let inner = self.sum()?;
                self.rest.next().filter(|&c| c == ')').ok_or("a bracket is open")?;
                Ok(inner)
            }
            Some(digit) if digit.is_ascii_digit() => {
                let mut number = (digit as u8 - b'0') as f64;
                let mut place = 0.0;
                while let Some(&c) = self.rest.peek().filter(|c| c.is_ascii_digit() || **c == '.') {
                    self.rest.next();
                    if c == '.' {
                        place = 1.0;
                    } else {
                        number = number * 10.0 + (c as u8 - b'0') as f64;
                        place *= 10.0;
                    }
                }
                Ok(Number(if place > 0.0 { number / place } else { number }))
            }
            Some(other) => Err(format!("unexpected {other}")),
            None => Err("it ends too early".to_string()),
        }
    }
}

fn derive(term: &Term) -> Term {
    let both = |make: fn(Box<Term>, Box<Term>) -> Term, a: Term, b: Term| make(Box::new(a), Box::new(b));
    match term {
        Number(_) => Number(0.0),
        Variable => Number(1.0),
        Sum(a, b) => both(Sum, derive(a), derive(b)),
        Product(a, b) => {
            let left = both(Product, derive(a), (**b).clone());
            both(Sum, left, both(Product, (**a).clone(), derive(b)))
        }
        Quotient(a, b) => {
            let left = both(Product, derive(a), (**b).clone());
            let right = both(Product, Number(-1.0), both(Product, (**a).clone(), derive(b)));
            both(Quotient, both(Sum, left, right), both(Product, (**b).clone(), (**b).clone()))
        }
    }
}

fn simplify(term: Term) -> Term {
    match term {
        Sum(a, b) => match (simplify(*a), simplify(*b)) {
            (Number(x), Number(y)) => Number(x + y),
            (Number(zero), other) | (other, Number(zero)) if zero == 0.0 => other,
            (a, b) => Sum(Box::new(a), Box::new(b)),
        },
        Product(a, b) => match (simplify(*a), simplify(*b)) {
            (Number(x), Number(y)) => Number(x * y),
            (Number(x), _) | (_, Number(x)) if x == 0.0 => Number(0.0),
            (Number(one), other) | (other, Number(one)) if one == 1.0 => other,
            (a, b) => Product(Box::new(a), Box::new(b)),
        },
        Quotient(a, b) => Quotient(Box::new(simplify(*a)), Box::new(simplify(*b))),
        other => other,
    }
}

fn print(term: &Term, out: &mut String) {
    let (left, sign, right) = match term {
        Number(number) => return out.push_str(&((number * 1000.0) as i32).to_string()),
        Variable => return out.push('x'),
        Sum(a, b) => (a, '+', b),
        Product(a, b) => (a, '*', b),
        Quotient(a, b) => (a, '/', b),
    };
    out.push('(');
    print(left, out);
    out.push(sign);
    print(right, out);
    out.push(')');
}

fn value(term: &Term, x: f64) -> f64 {
    match term {
        Number(number) => *number,
        Variable => x,
        Sum(a, b) => value(a, x) + value(b, x),
        Product(a, b) => value(a, x) * value(b, x),
        Quotient(a, b) => value(a, x) / value(b, x),
    }
}

#[no_mangle]
pub extern "C" fn run(rounds: u32) -> u32 {
    let texts = ["x*x*x-2.5*x+1", "(x+1)*(x-1)/(x*x+3)", "1/(1+x*(2+x*(3+x)))", "(x+2", "4*(x-0.125)/7+x"];
    let mut sum = 0u32;
    for round in 0..rounds {
        let text = texts[round as usize % texts.len()];
        let printed = match (Reader { rest: text.chars().peekable() }).sum() {
            Ok(term) => {
                let slope = simplify(derive(&term));
                let values: Vec<f64> = (0..20).map(|i| value(&slope, i as f64 * 0.37)).collect();
                let mut printed = ((values.iter().sum::<f64>() * 1e4) as i64).to_string();
                print(&slope, &mut printed);
                printed
            }
            Err(error) => error,
        };
        for byte in printed.bytes() {
            sum = sum.wrapping_mul(31).wrapping_add(byte as u32);
        }
    }
    sum
}
