//! What is kept in memory of one opening of a database, between requests: one value of each type, made when it is first
//! asked for. Whoever keeps something here bounds it.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// What is kept, by its type. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct KeptInMemory(Arc<Mutex<HashMap<TypeId, KeptValue>>>);

type KeptValue = Arc<dyn Any + Send + Sync>;

impl KeptInMemory {
    /// The value of a type.
    pub(crate) fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        // Every change leaves the map whole, also where a thread panics after it.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = kept
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        Arc::clone(value).downcast().unwrap_or_default()
    }
}

impl fmt::Debug for KeptInMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptInMemory")
    }
}
