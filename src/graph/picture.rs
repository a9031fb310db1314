//! Links to pictures in the API: signed for whoever asks, good for a moment. It draws nothing.

use async_graphql::{Context, SimpleObject};
use chrono::{DateTime, Utc};
use entity::blueprint;

use crate::{
    error::{Error, Result},
    payload::caller,
    scalar::{Date, PictureTheme},
    token::{PictureClaims, SessionClaims, SigningKey},
};

/// A link to the picture of a blueprint for an `<img>`, which cannot send a token.
#[derive(SimpleObject)]
pub(super) struct PictureLink {
    /// Path on this server, from the root.
    path: String,
    /// Time of expiry, at most five minutes from now, and no later than your session. The picture shows only what you
    /// may read at the time of loading.
    expires_at: DateTime<Utc>,
}

/// Signs a link for the caller.
pub(super) fn sign_picture_link(
    ctx: &Context<'_>,
    blueprint: &blueprint::Model,
    as_of: Option<Date>,
    theme: Option<PictureTheme>,
) -> Result<PictureLink> {
    let caller = caller(ctx)?;
    let key = ctx.data_opt::<SigningKey>();
    let key = key.ok_or_else(|| Error::internal("a request without the signing key"))?;
    let (Some(account), Some(session)) = (caller.account(), caller.session) else {
        let message = "A link belongs to a session. With a service token, load the picture itself.";
        return Err(Error::BadInput(message.to_owned()));
    };
    let shown = PictureClaims {
        blueprint: blueprint.id,
        day: caller.day_or_today(as_of)?,
        theme: theme.unwrap_or_default(),
    };
    let (link, expires_at) =
        key.sign_picture_link(SessionClaims { account, session }, shown, caller.now)?;
    let path = format!("/blueprints/{}.svg?link={link}", blueprint.key);
    Ok(PictureLink { path, expires_at })
}
