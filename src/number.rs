//! Numbers as they are kept and told: how large they may be, sums that lose no digits on the way, and computed values
//! in 15 significant digits.
//!
//! A double keeps every decimal number of 15 significant digits apart from its neighbours, but a sum of a few such
//! numbers is off in the 16th or 17th: 0.1 + 0.2 + 0.3 over 3 is 0.20000000000000004, which would miss a target of at
//! most 0.2. So sums are compensated, and what was computed is rounded to 15 digits before it is judged or told. What
//! somebody recorded is told as it was recorded.

use crate::error::Reason;

/// The largest size of a number that clients give: sums of a million of them are still exact to a few units.
pub const LARGEST: f64 = 1e15;

/// What is wrong with the size of a number that somebody gives, as reason and sentence.
#[must_use]
pub fn size_fault(number: f64) -> Option<(Reason, &'static str)> {
    match number.is_finite() {
        false => Some((Reason::NotFinite, "This is not a finite number.")),
        true if number.abs() > LARGEST => {
            let message = "This lies outside -1,000,000,000,000,000 to 1,000,000,000,000,000.";
            Some((Reason::OutOfRange, message))
        }
        true => None,
    }
}

/// A sum of doubles whose error does not grow with their number (Neumaier's).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompensatedSum {
    sum: f64,
    /// What rounding took from the sum so far.
    lost: f64,
}

impl CompensatedSum {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        let sum = self.sum + number;
        // The digits of the smaller one are those that did not fit.
        self.lost += match self.sum.abs() >= number.abs() {
            true => (self.sum - sum) + number,
            false => (number - sum) + self.sum,
        };
        self.sum = sum;
    }

    /// Adds the numbers of another sum.
    pub fn merge(&mut self, other: &Self) {
        self.add(other.sum);
        self.lost += other.lost;
    }

    /// A sum as its two numbers.
    #[must_use]
    pub fn from_numbers((sum, lost): (f64, f64)) -> Self {
        Self { sum, lost }
    }

    /// The two numbers that hold it.
    #[must_use]
    pub fn numbers(&self) -> (f64, f64) {
        (self.sum, self.lost)
    }

    /// The sum, in 15 significant digits.
    #[must_use]
    pub fn total(&self) -> f64 {
        round_computed(self.exact())
    }

    /// The sum, for computing on.
    #[must_use]
    pub fn exact(&self) -> f64 {
        self.sum + self.lost
    }
}

impl From<f64> for CompensatedSum {
    fn from(number: f64) -> Self {
        Self {
            sum: number,
            lost: 0.0,
        }
    }
}

impl Extend<f64> for CompensatedSum {
    fn extend<T: IntoIterator<Item = f64>>(&mut self, numbers: T) {
        numbers.into_iter().for_each(|number| self.add(number));
    }
}

impl FromIterator<f64> for CompensatedSum {
    fn from_iter<T: IntoIterator<Item = f64>>(numbers: T) -> Self {
        let mut sum = Self::default();
        sum.extend(numbers);
        sum
    }
}

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// A computed number in 15 significant digits: the double nearest to that decimal number. A zero has no sign.
#[must_use]
pub fn round_computed(number: f64) -> f64 {
    let size = number.abs();
    // In this range the number is scaled to 15 digits before the point, rounded and scaled back by a power that is
    // exact, so that the last step gives the nearest double. Writing and reading the digits takes thirty times as
    // long.
    if (1e-7..1e15).contains(&size) {
        let at = POWERS.partition_point(|power| *power <= size);
        // The digits before the point; of a number below 1, minus the zeros behind it.
        let mut scale = match at {
            0 => 15 + POWERS[..9].partition_point(|power| size * *power < 0.1),
            at => 15 - at,
        };
        let mut scaled = number * POWERS[scale];
        if scaled.abs() >= 1e15 {
            scale -= 1;
            scaled = number * POWERS[scale];
        }
        return scaled.round() / POWERS[scale] + 0.0;
    }
    match size {
        0.0 => 0.0,
        // Not a number, and what no sum of numbers within bounds comes to.
        _ => format!("{number:.14e}").parse().unwrap_or(number),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By writing the digits and reading them.
    fn round_by_digits(number: f64) -> f64 {
        let digits = format!("{number:.14e}");
        digits.parse::<f64>().expect("a number") + 0.0
    }

    #[test]
    fn what_is_met_exactly_is_met() {
        let sum: CompensatedSum = [0.1, 0.2, 0.3].into_iter().collect();
        assert_eq!(round_computed(sum.exact() / 3.0), 0.2);
        assert_eq!(round_computed(3.3 - 0.0), 3.3);
        assert_eq!(round_computed(1.1 * 3.0), 3.3);
        assert_eq!(round_computed(4.1 - 4.3), -0.2);
        assert_eq!(round_computed(-0.0).to_bits(), 0.0_f64.to_bits());
        assert_eq!(
            round_computed(-1e-320).to_string(),
            round_by_digits(-1e-320).to_string()
        );
    }

    #[test]
    fn a_sum_keeps_the_small_beside_the_large() {
        let mut sum = CompensatedSum::default();
        sum.extend([1e15, 0.1, 0.2, -1e15]);
        assert_eq!(sum.total(), 0.3);
        let many: CompensatedSum = std::iter::repeat_n(0.1, 1_000_000).collect();
        assert_eq!(many.total(), 100_000.0);
        let mut halves: CompensatedSum = std::iter::repeat_n(0.1, 500_000).collect();
        halves.merge(&halves.clone());
        assert_eq!(halves.total(), 100_000.0);
    }

    proptest! {
        #[test]
        fn rounding_gives_the_number_of_fifteen_digits(
            digits in 0_u64..1_000_000_000_000_000, exponent in -25_i32..8, negative: bool
        ) {
            let text = format!("{}{digits}e{exponent}", if negative { "-" } else { "" });
            let number: f64 = text.parse().expect("a number");
            prop_assert_eq!(round_computed(number), number, "{} stays", text);
            for near in [number.next_up(), number.next_down()] {
                if digits > 100_000_000_000_000 {
                    prop_assert_eq!(round_computed(near), number, "{} goes to {}", near, text);
                }
            }
        }

        #[test]
        fn any_number_keeps_all_but_what_lies_behind_fifteen_digits(number: f64) {
            let rounded = round_computed(number);
            if number.is_finite() {
                let error = (rounded - number).abs();
                prop_assert!(error <= number.abs() * 1e-14, "{} became {}", number, rounded);
                prop_assert_eq!(round_computed(rounded), rounded);
            }
        }
    }
}
