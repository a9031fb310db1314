//! Which fragments lead to which: unknown ones, unused ones, and circles.

use std::collections::{HashMap, HashSet};

use super::find_repeated;
use crate::{
    ast::{Fragment, ParsedDocument, Selection, SelectionList, Word},
    rejection::RequestFault,
};

/// The fragments of a document and the fragments that each spreads.
pub(crate) struct FragmentGraph<'d> {
    document: &'d ParsedDocument<'d>,
    spreads: HashMap<&'d str, Vec<Word<'d>>>,
    /// Those of each operation.
    of_operations: Vec<Vec<Word<'d>>>,
    pub(super) faults: Vec<RequestFault>,
    is_sound: bool,
}

impl<'d> FragmentGraph<'d> {
    pub(crate) fn new(document: &'d ParsedDocument<'d>) -> Self {
        let operations = document.operations.iter();
        let of_operations = operations.map(|operation| list_spreads(&operation.selections));
        let mut graph = Self {
            document,
            spreads: HashMap::new(),
            of_operations: of_operations.collect(),
            faults: Vec::new(),
            is_sound: true,
        };
        for fragment in &document.fragments {
            let spreads = graph.spreads.entry(fragment.name.text).or_default();
            spreads.extend(list_spreads(&fragment.selections));
        }
        graph.find_unknown_and_repeated();
        graph.find_circles();
        graph.is_sound = graph.faults.is_empty();
        graph.find_unused();
        graph
    }

    /// Whether following fragments comes to an end, and each is known.
    pub(crate) fn is_sound(&self) -> bool {
        self.is_sound
    }

    pub(crate) fn by_name(&self) -> HashMap<&'d str, &'d Fragment<'d>> {
        let fragments = self.document.fragments.iter();
        fragments
            .map(|fragment| (fragment.name.text, fragment))
            .collect()
    }

    /// The fragments that an operation reaches, by its place among the operations.
    pub(crate) fn reach_of_operation(&self, at: usize) -> HashSet<&'d str> {
        self.reach_from(self.of_operations.get(at).into_iter().flatten())
    }

    fn reach_from<'s>(&'s self, spreads: impl Iterator<Item = &'s Word<'d>>) -> HashSet<&'d str> {
        let mut waiting: Vec<&str> = spreads.map(|spread| spread.text).collect();
        let mut reached = HashSet::new();
        while let Some(name) = waiting.pop() {
            if let Some(spreads) = self.spreads.get(name)
                && reached.insert(name)
            {
                waiting.extend(spreads.iter().map(|spread| spread.text));
            }
        }
        reached
    }

    fn find_unknown_and_repeated(&mut self) {
        // In the order of the document.
        let names = self.document.fragments.iter().map(|one| one.name.text);
        let of_fragments = names.filter_map(|name| self.spreads.get(name));
        let spreads = of_fragments.chain(&self.of_operations).flatten();
        let unknown = spreads.filter(|spread| !self.spreads.contains_key(spread.text));
        let unknown = unknown.map(|spread| {
            let message = format!(
                "The document does not define the fragment `{}`.",
                spread.text
            );
            RequestFault::at(message, spread.pos)
        });
        self.faults.extend(unknown);
        let names = self.document.fragments.iter().map(|fragment| fragment.name);
        let repeated = find_repeated(names).into_iter().map(|name| {
            let message = format!("Two fragments have the name `{}`.", name.text);
            RequestFault::at(message, name.pos)
        });
        self.faults.extend(repeated);
    }

    /// Walks with a list of its own instead of recursing: a document may be one long chain of fragments.
    fn find_circles(&mut self) {
        let mut done: HashSet<&str> = HashSet::new();
        for fragment in &self.document.fragments {
            let mut open: Vec<(&str, usize)> = vec![(fragment.name.text, 0)];
            let mut inside: HashSet<&str> = HashSet::from([fragment.name.text]);
            while let Some((name, at)) = open.last_mut() {
                let spread = self.spreads.get(name).and_then(|spreads| spreads.get(*at));
                let Some(spread) = spread.filter(|_| !done.contains(name)) else {
                    done.insert(name);
                    inside.remove(*name);
                    open.pop();
                    continue;
                };
                *at += 1;
                if inside.contains(spread.text) {
                    let message = format!("The fragment `{}` leads back to itself.", spread.text);
                    self.faults.push(RequestFault::at(message, spread.pos));
                } else if !done.contains(spread.text) {
                    inside.insert(spread.text);
                    open.push((spread.text, 0));
                }
            }
        }
    }

    fn find_unused(&mut self) {
        let reached = self.reach_from(self.of_operations.iter().flatten());
        let unused = self.document.fragments.iter();
        let unused = unused.filter(|fragment| !reached.contains(fragment.name.text));
        let unused = unused.map(|fragment| {
            let message = format!("The fragment `{}` is never used.", fragment.name.text);
            RequestFault::at(message, fragment.pos)
        });
        self.faults.extend(unused);
    }
}

/// The spreads in some selections, those inside of fields included.
fn list_spreads<'d>(selections: &'d SelectionList<'d>) -> Vec<Word<'d>> {
    let (mut spreads, mut waiting) = (Vec::new(), vec![selections]);
    while let Some(selections) = waiting.pop() {
        for selection in &selections.items {
            match selection {
                Selection::Field(field) => waiting.extend(&field.selections),
                Selection::Spread { name, .. } => spreads.push(*name),
                Selection::Inline { selections, .. } => waiting.push(selections),
            }
        }
    }
    spreads
}
