//! The one password that everybody knows, and where it may be used.

use cx_blueprint::{account::password, config::Serve, database::Store};

use super::failure::Failure;

/// The password of every person in the demo and in a generated organisation.
pub(crate) const DEMO_PASSWORD: &str = "blueprint";

/// Refuses to serve a database whose accounts have it to anybody but this machine.
pub(crate) async fn refuse_published_password(serve: &Serve, store: &Store) -> Result<(), Failure> {
    let Some(key) = password::find_account_sharing_password(store, DEMO_PASSWORD).await? else {
        return Ok(());
    };
    if serve.listen.ip().is_loopback() {
        tracing::warn!(
            account = key,
            "accounts have the password of the demo, which everybody knows"
        );
        return Ok(());
    }
    Err(format!(
        "Accounts of this database, {key} for example, have the password of the demo, which everybody knows. Give them \
         others or archive them, or serve on this machine only (--listen 127.0.0.1:8080)."
    )
    .into())
}
