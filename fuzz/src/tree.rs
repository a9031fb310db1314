//! Cases that are still JSON: a tree with one or a few of its parts taken away, doubled, moved or replaced, beside
//! those that the engine makes of bytes.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Value, json};

/// Dice that fall the same for the same seed (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).unwrap_or_default()
    }
}

/// Makes another case of one: two of three times as a tree, where it is one.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed) << 16 | 0x9e37);
    let tree = data.get(..size).filter(|_| dice.below(3) > 0);
    let tree = tree.and_then(|text| serde_json::from_slice::<Value>(text).ok());
    let text = tree.map(|mut tree| {
        for _ in 0..=dice.below(3) {
            change(&mut tree, &mut dice);
        }
        tree.to_string()
    });
    match text {
        Some(text) if text.len() <= max_size.min(data.len()) => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The part with this number, counted from the root.
fn part<'t>(tree: &'t mut Value, number: &mut usize) -> Option<&'t mut Value> {
    if *number == 0 {
        return Some(tree);
    }
    *number -= 1;
    match tree {
        Value::Array(list) => list.iter_mut().find_map(|inner| part(inner, number)),
        Value::Object(fields) => fields.values_mut().find_map(|inner| part(inner, number)),
        _ => None,
    }
}

fn change(tree: &mut Value, dice: &mut Dice) {
    let parts = count(tree);
    let other = part(tree, &mut dice.below(parts)).map(|other| other.clone());
    let Some(here) = part(tree, &mut dice.below(parts)) else {
        return;
    };
    match here {
        Value::Array(list) if !list.is_empty() && dice.below(4) > 0 => {
            let (at, to) = (dice.below(list.len()), dice.below(list.len()));
            match dice.below(4) {
                0 => drop(list.remove(at)),
                1 => list.swap(at, to),
                2 => list.insert(to, list[at].clone()),
                _ => list.extend(other),
            }
        }
        Value::Object(fields) if !fields.is_empty() && dice.below(4) > 0 => {
            let at = dice.below(fields.len());
            let key = fields.keys().nth(at).cloned().unwrap_or_default();
            match dice.below(2) {
                0 => drop(fields.remove(&key)),
                _ => drop(fields.insert(key, odd(dice))),
            }
        }
        Value::String(text) if dice.below(3) == 0 => match dice.below(4) {
            0 => *text = text.to_uppercase(),
            1 => text.push(' '),
            2 => text.insert(0, '\u{feff}'),
            _ => *text = text.repeat(2),
        },
        _ => {
            *here = other
                .filter(|_| dice.below(2) == 0)
                .unwrap_or_else(|| odd(dice))
        }
    }
}

/// A value that seldom fits.
fn odd(dice: &mut Dice) -> Value {
    let odd = [
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("İ ß ﬀ"),
        json!("=1+1"),
        json!("2026-02-28"),
        json!("0000-01-01"),
        json!("https://x"),
        json!("ACCOUNTABLE"),
        json!("QUESTION"),
        json!("OBSERVED"),
        json!("START"),
        json!(0),
        json!(-1),
        json!(3),
        json!(i32::MAX),
        json!(1e308),
        json!(-0.0),
        json!(0.1),
        json!(5e-324),
        json!("x".repeat(201)),
        json!([null]),
        json!(["R02"]),
    ];
    odd[dice.below(odd.len())].clone()
}
