//! Random numbers and ids that are the same for the same seed. Never for secrets.
//!
//! The algorithm (splitmix64) is written out because the data have to stay the same for years: crates of random numbers
//! change theirs between versions, and a figure measured on other data cannot be compared.

use entity::id::Id;
use uuid::Uuid;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of a seed and of the purpose that it serves.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed);
        Self(random.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..end`; 0 where that is empty.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next()) * end as u128;
        (wide >> 64) as usize
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = high.abs_diff(low) as usize + 1;
        low + self.below(span) as i32
    }

    /// True with a probability of `percent` in 100.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A fraction in `0.0..1.0`.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// `count` different indices in `0..len`, or all of them, in random order.
    pub(super) fn pick_indices(&mut self, count: usize, len: usize) -> Vec<usize> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count.min(len) {
            let one = self.below(len);
            if !taken.contains(&one) {
                taken.push(one);
            }
        }
        taken
    }
}

/// Rising UUIDs of version 7 whose time and random bits come from the options, not from this machine.
#[derive(Debug)]
pub(super) struct IdSequence {
    millisecond: u64,
    made: u64,
    random: Random,
}

impl IdSequence {
    pub(super) fn new(seed: u64, millisecond: u64) -> Self {
        Self {
            millisecond,
            made: 0,
            random: Random::new(seed, u64::MAX),
        }
    }

    pub(super) fn next<I: Id>(&mut self) -> I {
        let (millisecond, count) = (self.millisecond + (self.made >> 12), self.made & 0xfff);
        self.made += 1;
        let high = (millisecond << 16) | 0x7000 | count;
        let low = (self.random.next() >> 2) | (1 << 63);
        Uuid::from_u64_pair(high, low).into()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let first_three = |seed, stream| {
            let mut random = super::Random::new(seed, stream);
            [random.next(), random.next(), random.next()]
        };
        assert_eq!(first_three(1, 2), first_three(1, 2));
        assert_ne!(first_three(1, 2), first_three(2, 2));
        assert_ne!(first_three(1, 2), first_three(1, 3));
    }

    /// Figures of benches are compared across versions of the program, so these never change.
    #[test]
    fn the_numbers_of_a_seed_are_those_of_every_version() {
        let mut random = super::Random::new(1, 2);
        let first_three = [random.next(), random.next(), random.next()];
        assert_eq!(
            first_three,
            [
                0xf602_ec30_f98a_3929,
                0xd428_7dc8_647b_e13d,
                0xe209_2f3d_e057_3d60
            ]
        );
    }

    #[test]
    fn ids_are_of_version_7_and_rise() {
        let mut ids = super::IdSequence::new(7, 1_782_842_400_000);
        let made: Vec<entity::id::KpiId> = (0..10_000).map(|_| ids.next()).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.0.get_version_num() == 7));
        assert!(
            made.iter()
                .all(|id| id.0.get_variant() == uuid::Variant::RFC4122)
        );
    }
}
