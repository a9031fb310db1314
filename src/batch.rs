//! A data loader: looks up in one statement what many fields of a document ask for. Fifty touchpoints that each ask for
//! their department make one statement with fifty ids, not fifty statements.
//!
//! Keys that are asked for within one turn of the executor are one batch. The field that asks first yields once, so
//! that the fields beside it can add their keys, and then runs the batch; the others wait for it. The batch runs in a
//! task of its own, since documents are deep and so is the stack below a field. The task ends with the field that runs
//! it, so that what ends the request ends its statements. Where that field is dropped, beside a failed one, the next
//! that waits begins the batch anew; where all have gone, nothing runs.
//!
//! Loaders are made for each request and hold its caller, so that no answer reaches another. async-graphql's own
//! `DataLoader` waits for a timer instead of a turn, and spawns tasks that outlive the request.

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
    task_runtime::TaskRuntime,
};

/// A key of a data loader: an id, or an id and the arguments of a field. Each type of key is a kind of its own.
pub trait LoaderKey: Clone + Eq + Hash + Send + Sync + 'static {
    /// The value behind a key; cheap to clone.
    type Value: Clone + Send + Sync + 'static;

    /// Looks these keys up, at most 1,000, in as many statements as one of them would take. A key whose value is not
    /// there, or not to be seen by the caller, is left out.
    fn load(
        caller: &Caller,
        keys: &[Self],
    ) -> impl Future<Output = Result<HashMap<Self, Self::Value>>> + Send;
}

/// Keys of one kind that are looked up together.
struct KeyBatch<K: LoaderKey> {
    /// The keys; nothing is added once the batch has begun.
    asked: Mutex<PendingKeys<K>>,
    /// The values, or the error that every field of the batch gets.
    found: OnceCell<Result<HashMap<K, K::Value>>>,
}

struct PendingKeys<K> {
    keys: HashSet<K>,
    begun: bool,
}

/// Most keys of a batch; further ones begin another. Statements have a bound on their parameters.
const MOST: usize = 1_000;

impl<K: LoaderKey> KeyBatch<K> {
    fn new(key: K) -> Self {
        Self {
            asked: Mutex::new(PendingKeys {
                keys: [key].into(),
                begun: false,
            }),
            found: OnceCell::new(),
        }
    }

    /// Adds a key and says so, unless the batch has begun or is full.
    fn try_add_key(&self, key: &K) -> bool {
        let mut asked = lock_ignoring_poison(&self.asked);
        let open = !asked.begun && asked.keys.len() < MOST;
        open && {
            asked.keys.insert(key.clone());
            true
        }
    }

    fn close_and_list_keys(&self) -> Vec<K> {
        let mut asked = lock_ignoring_poison(&self.asked);
        asked.begun = true;
        asked.keys.iter().cloned().collect()
    }

    async fn load_value(&self, caller: &Caller, key: &K) -> Result<Option<K::Value>> {
        let run = async || {
            // Fields beside this one are resolved in the same turn, and join before the next.
            yield_now().await;
            let (caller, keys) = (caller.clone(), self.close_and_list_keys());
            // In a box, and so not moved about on this stack.
            let load = async move { Box::pin(K::load(&caller, &keys)).await };
            TaskRuntime::current().run_while_awaited(load).await
        };
        match self.found.get_or_init(run).await {
            Ok(found) => Ok(found.get(key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The batches of one kind of key.
struct LoaderBatches<K: LoaderKey> {
    /// The newest, which keys may still join.
    open: Option<Arc<KeyBatch<K>>>,
    /// The batch of each key that is kept until the request ends.
    kept: HashMap<K, Arc<KeyBatch<K>>>,
}

impl<K: LoaderKey> LoaderBatches<K> {
    /// The batch in which a key is looked up, a new one where none can take it.
    fn add_to_batch(&mut self, key: K, keeps: bool) -> Arc<KeyBatch<K>> {
        if let Some(kept) = self.kept.get(&key) {
            return Arc::clone(kept);
        }
        let open = self.open.take().filter(|open| open.try_add_key(&key));
        let batch = open.unwrap_or_else(|| Arc::new(KeyBatch::new(key.clone())));
        self.open = Some(Arc::clone(&batch));
        if keeps {
            self.kept.insert(key, Arc::clone(&batch));
        }
        batch
    }
}

/// The data loaders of one request.
pub struct Loaders {
    caller: Caller,
    /// [`LoaderBatches`] by their kind of key.
    kinds: Mutex<HashMap<TypeId, Box<dyn Any + Send>>>,
}

impl Loaders {
    /// The loaders of one request, which look up what its caller may see.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self {
            caller,
            kinds: Mutex::default(),
        }
    }

    /// The values of these keys. What it `keeps` is looked up once in a request, however often it is asked for.
    ///
    /// # Errors
    /// Those of the statement.
    pub async fn load_many<K: LoaderKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        keeps: bool,
    ) -> Result<HashMap<K, K::Value>> {
        let asked = self.assign_keys_to_batches(keys, keeps)?;
        let mut found = HashMap::with_capacity(asked.len());
        for (key, batch) in asked {
            let value = batch.load_value(&self.caller, &key).await?;
            found.extend(value.map(|value| (key, value)));
        }
        Ok(found)
    }

    /// The batch of each key. The lock is never held while anybody waits.
    fn assign_keys_to_batches<K: LoaderKey>(
        &self,
        keys: impl IntoIterator<Item = K>,
        keeps: bool,
    ) -> Result<Vec<(K, Arc<KeyBatch<K>>)>> {
        let mut kinds = lock_ignoring_poison(&self.kinds);
        let kind = kinds.entry(TypeId::of::<K>()).or_insert_with(|| {
            Box::new(LoaderBatches::<K> {
                open: None,
                kept: HashMap::new(),
            })
        });
        let batches = kind.downcast_mut::<LoaderBatches<K>>();
        let batches = batches.ok_or_else(|| Error::internal("batches of another kind of key"))?;
        let asked = keys
            .into_iter()
            .map(|key| (key.clone(), batches.add_to_batch(key, keeps)))
            .collect();
        Ok(asked)
    }
}

/// No lock is held where something could panic half-way.
fn lock_ignoring_poison<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Steps of the budget for one key.
const KEY: u64 = 100;

/// The values of many keys, in one statement. A query keeps them until it is answered. A mutation does not: the second
/// mutation of a document must see what the first one did.
pub async fn load_many<K: LoaderKey>(
    ctx: &Context<'_>,
    keys: impl IntoIterator<Item = K>,
) -> Result<HashMap<K, K::Value>> {
    let keeps = ctx.query_env.operation.node.ty == OperationType::Query;
    // Boxed, as it lies in the future of nearly every field, and those lie in one another.
    Box::pin(load_through_loaders(ctx, keys, keeps)).await
}

/// The value of a key; none where it is not there or the caller may not see it.
pub async fn load<K: LoaderKey>(ctx: &Context<'_>, key: K) -> Result<Option<K::Value>> {
    Ok(load_many(ctx, [key.clone()]).await?.remove(&key))
}

/// The same for values that are large and seldom asked for twice: kept only for the fields that ask in the same turn.
pub async fn load_uncached<K: LoaderKey>(ctx: &Context<'_>, key: K) -> Result<Option<K::Value>> {
    let found = Box::pin(load_through_loaders(ctx, [key.clone()], false)).await;
    Ok(found?.remove(&key))
}

async fn load_through_loaders<K: LoaderKey>(
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
