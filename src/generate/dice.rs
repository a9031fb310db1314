//! Chance that can be repeated: a small generator (splitmix64) and ids made from it. Never for secrets.

use entity::id::Id;
use uuid::Uuid;

/// A sequence of numbers that is the same for the same seed.
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The sequence of a seed and of what it is used for.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed);
        Self(dice.next() ^ stream.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.next()) * end as u128;
        (wide >> 64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = high.abs_diff(low) as usize + 1;
        low + self.below(span) as i32
    }

    /// Yes in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A fraction from 0 to below 1.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of several, of which there is at least one.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Some of several, each once, in no order.
    pub(super) fn several(&mut self, count: usize, of: usize) -> Vec<usize> {
        let mut taken = Vec::with_capacity(count);
        while taken.len() < count.min(of) {
            let one = self.below(of);
            if !taken.contains(&one) {
                taken.push(one);
            }
        }
        taken
    }
}

/// Ids of version 7 that rise, with a time and random digits that are not of this machine.
#[derive(Debug)]
pub(super) struct Ids {
    millisecond: u64,
    made: u64,
    dice: Dice,
}

impl Ids {
    pub(super) fn new(seed: u64, millisecond: u64) -> Self {
        Self {
            millisecond,
            made: 0,
            dice: Dice::new(seed, u64::MAX),
        }
    }

    pub(super) fn next<I: Id>(&mut self) -> I {
        let (millisecond, count) = (self.millisecond + (self.made >> 12), self.made & 0xfff);
        self.made += 1;
        let high = (millisecond << 16) | 0x7000 | count;
        let low = (self.dice.next() >> 2) | (1 << 63);
        Uuid::from_u64_pair(high, low).into()
    }
}

#[cfg(test)]
mod tests {
    use entity::id::KpiId;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
        let of = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            [dice.next(), dice.next(), dice.next()]
        };
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2), of(2, 2));
        assert_ne!(of(1, 2), of(1, 3));
    }

    #[test]
    fn ids_are_of_version_7_and_rise() {
        let mut ids = Ids::new(7, 1_782_842_400_000);
        let made: Vec<KpiId> = (0..10_000).map(|_| ids.next()).collect();
        assert!(made.is_sorted());
        assert!(made.iter().all(|id| id.0.get_version_num() == 7));
        assert!(
            made.iter()
                .all(|id| id.0.get_variant() == uuid::Variant::RFC4122)
        );
    }
}
