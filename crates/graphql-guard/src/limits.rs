//! How much one document may ask for.

/// How much one document may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Brackets inside brackets, of any kind. The parser recurses on each.
    pub brackets: usize,
    /// Operations of a document, of which one is run.
    pub operations: usize,
    /// Selection sets inside one another, fragments included; async-graphql stops at 32 itself.
    pub levels: usize,
    /// Fields inside fields. The standard introspection query needs 15.
    pub depth: usize,
    /// Fields once every fragment is written out, as are aliases and directives.
    pub fields: usize,
    pub aliases: usize,
    pub directives: usize,
    pub root_fields: usize,
    /// Definitions of variables: async-graphql looks each use up among all of them.
    pub variables: usize,
    /// Arguments of one field or directive: some validation rules compare each with each.
    pub arguments: usize,
    /// Values and text in the arguments of root fields, each use of a variable counted.
    pub values: usize,
    /// The same of a query, which brings no document: what it looks for becomes parameters of statements, of which
    /// SQLite takes 32,766.
    pub values_of_query: usize,
    /// The same below the root, where a field and its arguments may be read once for every item of a list.
    pub values_below: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 * 1024,
            brackets: 64,
            operations: 50,
            levels: 32,
            depth: 15,
            fields: 1_000,
            aliases: 30,
            directives: 50,
            root_fields: 20,
            variables: 100,
            arguments: 50,
            values: 250_000,
            values_of_query: 10_000,
            values_below: 2_000,
        }
    }
}
