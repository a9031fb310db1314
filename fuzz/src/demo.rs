//! The demo in a database of its own, for what has to know what there is.

use cx_blueprint::{
    access::Caller,
    clock::Clock,
    database::{Options, Store},
    document::{demonstration, format::parse_document},
};

const DEMO: &str = include_str!("../../demo/demonstration.json");

/// Runs something once over the demo, and closes it again.
pub fn once<T>(work: impl AsyncFnOnce(&Caller, &Store) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let dir = tempfile::tempdir().expect("a directory");
        let options = Options {
            url: format!("sqlite://{}", dir.path().join("there.db").display()),
            connections: 1,
            schema: None,
        };
        let store = Store::open(&options).await.expect("it opens");
        migration::apply_pending_steps(store.migration_connection())
            .await
            .expect("it migrates");
        let caller = Caller::operator(store.clone(), Clock::new(chrono_tz::UTC), "fuzz");
        let demo = parse_document(DEMO).expect("the demo reads");
        demonstration::import_demonstration(&caller, &demo, "")
            .await
            .expect("the demo loads");
        let done = work(&caller, &store).await;
        store.close().await.expect("it closes");
        done
    })
}
