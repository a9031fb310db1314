//! Positions in an order that people arrange by hand: phases, touchpoints, segments. A position is not part of a
//! thing's version: what moves aside for another stays at its version, and nobody's edit conflicts with it.

/// A thing with a position among others.
pub trait Ordered {
    /// The type of its id.
    type Id: PartialEq;
    /// Its id.
    fn id(&self) -> Self::Id;
    /// Its position, from 1.
    fn position(&self) -> i32;
}

/// The positions after making room for one thing.
#[derive(Debug, PartialEq, Eq)]
pub struct InsertionPlan<I> {
    /// The position that has become free.
    pub free: i32,
    /// The others that move, each with its new position.
    pub moved: Vec<(I, i32)>,
}

/// The moves that make room after one of the others, or at the beginning where none is named, and that close gaps in
/// the others' positions. None where the named one is not among them.
pub fn plan_insertion<P: Ordered>(
    others: &[P],
    after: Option<&P::Id>,
) -> Option<InsertionPlan<P::Id>> {
    let index = match after {
        None => 0,
        Some(after) => others.iter().position(|other| other.id() == *after)? + 1,
    };
    let place = |index: usize| i32::try_from(index).unwrap_or(i32::MAX).saturating_add(1);
    let moved = others
        .iter()
        .enumerate()
        .map(|(at, other)| (other, place(if at < index { at } else { at + 1 })))
        .filter(|(other, position)| other.position() != *position)
        .map(|(other, position)| (other.id(), position))
        .collect();
    Some(InsertionPlan {
        free: place(index),
        moved,
    })
}

/// The moves that close the gaps in positions after one has left: the others that move, each with its new position.
pub fn plan_closing_gaps<P: Ordered>(remaining: &[P]) -> Vec<(P::Id, i32)> {
    remaining
        .iter()
        .zip(1..)
        .filter(|(other, position)| other.position() != *position)
        .map(|(other, position)| (other.id(), position))
        .collect()
}

/// The position after the last; 1 where there is none.
pub fn next_position<P: Ordered>(others: &[P]) -> i32 {
    others
        .last()
        .map_or(1, |last| last.position().saturating_add(1))
}

/// A list that was given anew, with those members of the list as it was that are hidden from whoever gave it: each behind
/// the one that it stood after, or before all.
pub fn keep_hidden_members<T: Copy + PartialEq>(
    was: &[T],
    is_hidden: impl Fn(T) -> bool,
    given: &[T],
) -> Vec<T> {
    let mut list = given.to_vec();
    for (at, member) in was.iter().enumerate() {
        if !is_hidden(*member) || given.contains(member) {
            continue;
        }
        let place = (0..at).rev().find_map(|before| {
            // Of several of the same behind the same one, as a way may pass it more than once.
            let one = was[before];
            let number = was[..=before].iter().filter(|other| **other == one).count();
            let places = list.iter().enumerate().filter(|(_, other)| **other == one);
            places.take(number).last().map(|(place, _)| place + 1)
        });
        list.insert(place.unwrap_or_default(), *member);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Card(char, i32);

    impl Ordered for Card {
        type Id = char;

        fn id(&self) -> char {
            self.0
        }

        fn position(&self) -> i32 {
            self.1
        }
    }

    #[test]
    fn what_stands_behind_moves_one_place_on() {
        let others = [Card('a', 1), Card('b', 2), Card('c', 3)];
        assert_eq!(
            plan_insertion(&others, Some(&'a')),
            Some(InsertionPlan {
                free: 2,
                moved: vec![('b', 3), ('c', 4)]
            })
        );
        assert_eq!(
            plan_insertion(&others, None),
            Some(InsertionPlan {
                free: 1,
                moved: vec![('a', 2), ('b', 3), ('c', 4)]
            })
        );
        assert_eq!(
            plan_insertion(&others, Some(&'c')),
            Some(InsertionPlan {
                free: 4,
                moved: vec![]
            })
        );
        assert_eq!(plan_insertion(&others, Some(&'x')), None);
    }

    #[test]
    fn a_gap_left_behind_is_closed() {
        assert_eq!(
            plan_closing_gaps(&[Card('a', 1), Card('c', 3), Card('d', 4)]),
            vec![('c', 2), ('d', 3)]
        );
        assert_eq!(
            plan_insertion(&[Card('a', 1), Card('c', 3)], Some(&'a')),
            Some(InsertionPlan {
                free: 2,
                moved: vec![]
            })
        );
    }

    #[test]
    fn what_is_hidden_stays_where_it_stood() {
        let keep = |was: &[u8], given: &[u8]| keep_hidden_members(was, |one| one > 9, given);
        assert_eq!(keep(&[1, 2, 3], &[3, 1]), [3, 1]);
        assert_eq!(keep(&[10, 1, 11, 12, 2], &[1, 2]), [10, 1, 11, 12, 2]);
        assert_eq!(keep(&[1, 11, 2], &[2, 1]), [2, 1, 11]);
        assert_eq!(keep(&[1, 2, 11], &[1]), [1, 11]);
        assert_eq!(keep(&[1, 11], &[]), [11]);
        assert_eq!(keep(&[1, 11, 2], &[11, 1]), [11, 1], "it was given a place");
        assert_eq!(keep(&[1, 11, 1], &[1, 1]), [1, 11, 1]);
        assert_eq!(keep(&[1, 2, 1, 11], &[1, 3, 1, 4]), [1, 3, 1, 11, 4]);
    }
}
