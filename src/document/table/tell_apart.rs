//! Tells the rows of a table apart that give no key: from things with other names, whether they stand in the table or
//! are kept already. The same table meets its own things again, as their names are the same.

use std::collections::{HashMap, HashSet};

use super::{made_key::KeptNames, read::TouchpointTable};
use crate::{
    document::catalogue::fold_key, error::UserErrorCode, input::Faults, text::quote_for_message,
};

impl TouchpointTable {
    /// Gives touchpoints and phases without a key one that is nothing else's; a fault for each row that names a
    /// touchpoint a second time.
    pub(super) fn tell_apart_made_keys(&mut self, kept: &KeptNames, faults: &mut Faults) {
        self.tell_apart_phases(&kept.phases);
        let rows = 0..self.touchpoints.len();
        // The given keys first: a made one gives way to them wherever they stand.
        let (given, made): (Vec<usize>, Vec<usize>) = rows.partition(|at| self.made[*at].is_none());
        let mut taken: HashMap<String, usize> = HashMap::new();
        for at in given {
            if let Some(first) = taken.insert(fold_key(&self.touchpoints[at].key), at) {
                self.add_named_twice_fault(at, first, faults);
            }
        }
        for at in made {
            let Some(made) = self.made[at].clone() else {
                continue;
            };
            let same = taken.get(&fold_key(&made.base)).copied();
            let same = same.filter(|other| self.name_of(*other, kept) == Some(&made.name));
            if let Some(first) = same {
                self.add_named_twice_fault(at, first, faults);
                continue;
            }
            let chosen = made.choose(&kept.touchpoints, |key| match taken.get(key) {
                // The same name: told as a fault below.
                Some(other) => self.made[*other].as_ref() != Some(&made),
                None => false,
            });
            let Some(key) = chosen else { continue };
            if let Some(first) = taken.insert(fold_key(&key), at) {
                self.add_named_twice_fault(at, first, faults);
            }
            for (row, said) in self.row_of.iter().zip(&mut self.responsibilities) {
                if *row == at {
                    said.touchpoint.clone_from(&key);
                }
            }
            self.touchpoints[at].key = key;
        }
    }

    /// The name of a row's touchpoint: as the row says, or as it is kept.
    fn name_of<'t>(&'t self, at: usize, kept: &'t KeptNames) -> Option<&'t String> {
        let said = &self.touchpoints[at];
        let name = said.name.0.as_ref();
        name.or_else(|| kept.touchpoints.get(&fold_key(&said.key)))
    }

    fn add_named_twice_fault(&self, at: usize, first: usize, faults: &mut Faults) {
        let message = format!(
            "The touchpoint {} is on line {} already.",
            quote_for_message(&self.touchpoints[at].key),
            self.rows[first].place.line
        );
        let place = self.columns.cell_ref(&self.rows[at], "key");
        place.add_fault(UserErrorCode::Duplicate, message, faults);
    }

    fn tell_apart_phases(&mut self, kept: &HashMap<String, String>) {
        let given = self.phases.iter().filter(|phase| phase.made.is_none());
        let mut taken: HashSet<String> = given.map(|phase| fold_key(&phase.key)).collect();
        for (at, phase) in self.phases.iter_mut().enumerate() {
            let chosen = phase
                .made
                .as_ref()
                .and_then(|made| made.choose(kept, |key| taken.contains(key)));
            let Some(key) = chosen else { continue };
            taken.insert(fold_key(&key));
            for (of, said) in self.phase_of.iter().zip(&mut self.touchpoints) {
                if *of == Some(at) {
                    said.phase.0 = Some(key.clone());
                }
            }
            phase.key = key;
        }
    }
}
