//! Looks up in one statement what many fields of a document ask for: keys that are asked for within one turn of the
//! executor are one batch. Made for each request, holding its caller, so that no answer reaches another.
//!
//! Whoever asks first runs the batch, in the next turn, and the others wait for it. It has a task of its own, since
//! documents are deep and so is the stack below a field; the task ends with whoever runs it, so that what ends the
//! request ends its statements. Where whoever runs it goes, a field beside a failed one, the next of those who wait
//! begins it anew; where all have gone, nothing runs.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{Context, parser::types::OperationType};
use tokio::{sync::OnceCell, task::yield_now};

use crate::{
    access::Caller,
    error::{Error, Result},
    workers::Workers,
};

/// What a field leads to: the id of a row, or a place and what is asked there.
pub trait Key: Clone + Eq + Hash + Send + Sync + 'static {
    /// What there is.
    type Value: Clone + Send + Sync + 'static;

    /// What these keys lead to, in as many statements as one of them takes; what is not there for the caller is left out.
    fn load(
        caller: &Caller,
        keys: &[Self],
    ) -> impl Future<Output = Result<HashMap<Self, Self::Value>>> + Send;
}

/// Keys of one kind that are looked up together.
struct Batch<K: Key> {
    /// What is asked for; nothing is added once it has begun.
    asked: Mutex<Asked<K>>,
    /// What was found, or why nothing could be: everybody is told the same.
    found: OnceCell<Result<HashMap<K, K::Value>>>,
}

struct Asked<K> {
    keys: HashSet<K>,
    begun: bool,
}

/// Keys of a batch; what is asked for beyond them is looked up in another one. Statements have a bound on their
/// parameters.
const MOST: usize = 1_000;

impl<K: Key> Batch<K> {
    fn new(key: K) -> Self {
        Self {
            asked: Mutex::new(Asked {
                keys: [key].into(),
                begun: false,
            }),
            found: OnceCell::new(),
        }
    }

    /// Takes a key in, unless the batch has begun or is full.
    fn join(&self, key: &K) -> bool {
        let mut asked = lock(&self.asked);
        let open = !asked.begun && asked.keys.len() < MOST;
        open && {
            asked.keys.insert(key.clone());
            true
        }
    }

    fn begin(&self) -> Vec<K> {
        let mut asked = lock(&self.asked);
        asked.begun = true;
        asked.keys.iter().cloned().collect()
    }

    async fn get(&self, caller: &Caller, key: &K) -> Result<Option<K::Value>> {
        let run = async || {
            // Fields beside this one are resolved in the same turn, and join before the next.
            yield_now().await;
            let (caller, keys) = (caller.clone(), self.begin());
            // In a box, and so not moved about on this stack.
            let load = async move { Box::pin(K::load(&caller, &keys)).await };
            Workers::current().run(load).await
        };
        match self.found.get_or_init(run).await {
            Ok(found) => Ok(found.get(key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The batches of one kind of key.
struct Batches<K: Key> {
    /// The one that keys may still join.
    open: Option<Arc<Batch<K>>>,
    /// Where each key was asked for.
    kept: HashMap<K, Arc<Batch<K>>>,
}

impl<K: Key> Batches<K> {
    /// The batch in which a key is looked up.
    fn batch(&mut self, key: K, keeps: bool) -> Arc<Batch<K>> {
        if let Some(kept) = self.kept.get(&key) {
            return Arc::clone(kept);
        }
        let open = self.open.take().filter(|open| open.join(&key));
        let batch = open.unwrap_or_else(|| Arc::new(Batch::new(key.clone())));
        self.open = Some(Arc::clone(&batch));
        if keeps {
            self.kept.insert(key, Arc::clone(&batch));
        }
        batch
    }
}

/// What a request looks up.
pub struct Loaders {
    caller: Caller,
    /// [`Batches`] by their kind of key.
    kinds: Mutex<HashMap<TypeId, Box<dyn Any + Send>>>,
}

impl Loaders {
    /// What one request of a caller looks up.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            kinds: Mutex::default(),
        }
    }

    /// What these keys lead to. What it `keeps` is looked up once.
    ///
    /// # Errors
    /// They could not be looked up.
    pub async fn load_many<K: Key>(
        &self,
        keys: impl IntoIterator<Item = K>,
        keeps: bool,
    ) -> Result<HashMap<K, K::Value>> {
        let asked = self.ask(keys, keeps)?;
        let mut found = HashMap::with_capacity(asked.len());
        for (key, batch) in asked {
            let value = batch.get(&self.caller, &key).await?;
            found.extend(value.map(|value| (key, value)));
        }
        Ok(found)
    }

    /// The batch of each key. The lock is never held while anybody waits.
    fn ask<K: Key>(
        &self,
        keys: impl IntoIterator<Item = K>,
        keeps: bool,
    ) -> Result<Vec<(K, Arc<Batch<K>>)>> {
        let mut kinds = lock(&self.kinds);
        let kind = kinds.entry(TypeId::of::<K>()).or_insert_with(|| {
            Box::new(Batches::<K> {
                open: None,
                kept: HashMap::new(),
            })
        });
        let batches = kind.downcast_mut::<Batches<K>>();
        let batches = batches.ok_or_else(|| Error::internal("batches of another kind of key"))?;
        let asked = keys
            .into_iter()
            .map(|key| (key.clone(), batches.batch(key, keeps)))
            .collect();
        Ok(asked)
    }
}

/// No lock is held where something could panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Steps of looking one key up, with others in one statement.
const KEY: u64 = 100;

/// What many keys lead to, in one statement. Of a query it is kept until the query is answered; a second mutation of a
/// document sees what the first one did.
pub async fn load_many<K: Key>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> Result<HashMap<K, K::Value>> {
    let keeps = ctx.query_env.operation.node.ty == OperationType::Query;
    // Boxed, as it lies in the future of nearly every field, and those lie in one another.
    Box::pin(look_up(ctx, keys, keeps)).await
}

/// What a key leads to, if it is there for the caller.
pub async fn load<K: Key>(ctx: &Context<'_>, key: K) -> Result<Option<K::Value>> {
    Ok(load_many(ctx, [key.clone()]).await?.remove(&key))
}

/// The same of what is large and seldom asked for twice: it is kept only for those who ask in the same turn.
pub async fn load_once<K: Key>(ctx: &Context<'_>, key: K) -> Result<Option<K::Value>> {
    let found = Box::pin(look_up(ctx, [key.clone()], false)).await;
    Ok(found?.remove(&key))
}

async fn look_up<K: Key>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
    keeps: bool,
) -> Result<HashMap<K, K::Value>> {
    let loaders = ctx.data::<Loaders>();
    let loaders = loaders.map_err(|_| Error::Unauthenticated("Sign in first."))?;
    let keys: HashSet<K> = keys.into_iter().collect();
    loaders.caller.budget.spend(KEY * keys.len() as u64)?;
    loaders.load_many(keys, keeps).await
}
