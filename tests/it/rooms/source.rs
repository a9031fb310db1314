//! Rust sources, read as far as the order of the house asks: the files that one imports and the types that it names.

use std::{fs, path::Path};

/// A file of Rust.
pub struct Source {
    /// Its path below the folder that was read.
    pub path: String,
    pub text: String,
    /// The text without comments, literals and tests.
    code: String,
    /// Its module, as a path from the root of the crate.
    module: Vec<String>,
}

/// The product's sources, by their paths below `src`.
pub fn read_crate() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    read(&root.join("src"), &root.join("src"))
}

/// The sources of all crates of the workspace, by their paths below its root.
pub fn read_workspace() -> Vec<Source> {
    read_folders(&["src", "entity", "migration", "crates", "tools"])
}

/// The sources in these folders of the repository.
pub fn read_folders(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = folders.iter().map(|name| root.join(name));
    folders.flat_map(|folder| read(&folder, root)).collect()
}

fn read(folder: &Path, root: &Path) -> Vec<Source> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources.extend(read(&path, root));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("below the root");
            let text = fs::read_to_string(&path).expect("a source");
            sources.push(Source::new(name.display().to_string(), text));
        }
    }
    sources
}

impl Source {
    fn new(path: String, text: String) -> Self {
        let mut module: Vec<String> = path
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        module.pop_if(|last| last == "mod" || last == "lib");
        let code = match path.ends_with("tests.rs") {
            true => String::new(),
            false => without_tests(&without_literals(&text)),
        };
        Self {
            path,
            text,
            code,
            module,
        }
    }

    /// The first part of its path.
    pub fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }

    /// The words of its code.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.code.split(|c: char| !is_of_name(c))
    }

    /// The other files that its paths lead into, as places in a list of all of them.
    pub fn imports(&self, all: &[Self]) -> Vec<usize> {
        let mut found: Vec<usize> = self
            .paths()
            .iter()
            .filter_map(|path| self.resolve(path, all))
            .filter(|&file| all[file].path != self.path && all[file].path != "lib.rs")
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The file with the longest module that a path begins with.
    fn resolve(&self, path: &[String], all: &[Self]) -> Option<usize> {
        let mut full = self.module.clone();
        let mut rest = path;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" => full.clear(),
                "self" => {}
                "super" => drop(full.pop()),
                _ => break,
            }
            rest = others;
        }
        let is_module = |module: &[String]| all.iter().position(|file| file.module == module);
        // A path that begins with a plain name is one of this crate where a module below this one has the name.
        if rest.len() == path.len() {
            full.extend(rest.first().cloned());
            is_module(&full)?;
            rest = &rest[1..];
        }
        full.extend(rest.iter().cloned());
        while !full.is_empty() {
            if let Some(file) = is_module(&full) {
                return Some(file);
            }
            full.pop();
        }
        None
    }

    /// Every path of its code, those inside the braces of a `use` one by one.
    fn paths(&self) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        let mut rest = &*self.code;
        while let Some(at) = rest.find(|c: char| is_of_name(c)) {
            rest = &rest[at..];
            rest = match rest.strip_prefix("use ") {
                Some(tree) => read_tree(tree, &mut Vec::new(), &mut found),
                None => read_path(rest, &mut found),
            };
        }
        found
    }

    /// The names of the structs, enums, unions and traits that it defines, but for those that sea-orm asks every entity
    /// and migration to have.
    pub fn types(&self) -> Vec<String> {
        let asked_for = [
            "Model",
            "ActiveModel",
            "Entity",
            "Column",
            "Relation",
            "Migration",
        ];
        let mut words = self.words().filter(|word| !word.is_empty()).peekable();
        let mut names = Vec::new();
        while let Some(word) = words.next() {
            if ["struct", "enum", "trait", "union"].contains(&word)
                && let Some(name) = words.peek()
                && name.starts_with(|c: char| c.is_ascii_uppercase())
                && !asked_for.contains(name)
            {
                names.push((*name).to_owned());
            }
        }
        names
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads `a::b::c` where the text begins; a name alone is no path.
fn read_path<'t>(text: &'t str, found: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        path.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) if next.starts_with(is_of_name) => rest = next,
            _ => break,
        }
    }
    if path.len() > 1 {
        found.push(path);
    }
    rest
}

/// Reads a tree of `use` behind a prefix, up to the comma, brace or semicolon that ends it.
fn read_tree<'t>(text: &'t str, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'t str {
    let depth = prefix.len();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = read_tree(list, prefix, found).trim_start();
                match list.strip_prefix(',') {
                    Some(next) => list = next.trim_start(),
                    None => break,
                }
                if list.starts_with('}') {
                    break;
                }
            }
            rest = list.strip_prefix('}').unwrap_or(list);
            break;
        }
        let end = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
        prefix.push(rest[..end].to_owned());
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => {
                found.push(prefix.clone());
                break;
            }
        }
    }
    prefix.truncate(depth);
    // What an import is renamed to, and the star of a glob, lead nowhere.
    let end = rest.find([',', '}', ';']).unwrap_or(rest.len());
    &rest[end..]
}

/// A text with its comments, strings and characters taken out.
fn without_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(quote) = raw_string(rest) {
            let hashes = rest[..quote].matches('#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            let begin = quote + 1;
            rest[begin..]
                .find(&end)
                .map_or(rest.len(), |at| begin + at + end.len())
        } else if c == '"' {
            string_end(rest, '"')
        } else if c == '\'' && is_character(rest) {
            string_end(rest, '\'')
        } else {
            code.push(c);
            // A name goes over as a whole, so that an `r` at its end begins no string.
            let name = rest.find(|c| !is_of_name(c)).unwrap_or(rest.len());
            code.push_str(&rest[c.len_utf8().min(name)..name]);
            name.max(c.len_utf8())
        };
        rest = &rest[skipped..];
    }
    code
}

/// The place of the first quote, where a raw string begins here.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix("br").or(text.strip_prefix('r'))?;
    let rest = hashes.trim_start_matches('#');
    rest.starts_with('"').then(|| text.len() - rest.len())
}

/// Whether a quote begins a character and no lifetime.
fn is_character(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        _ => chars.next() == Some('\''),
    }
}

/// The place behind the quote that ends what begins here with one.
fn string_end(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// Code without the items that are only built for tests: as formatted code, they end at a brace or semicolon of a line
/// that is not indented.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        if line != "#[cfg(test)]" {
            kept.push_str(line);
            kept.push('\n');
            continue;
        }
        for line in lines.by_ref() {
            if line == "}" || line.ends_with(';') && !line.starts_with(' ') {
                break;
            }
        }
    }
    kept
}
