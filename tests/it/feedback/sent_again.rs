//! Answers that come in once more, under an external id of their own.

use serde_json::{Value, json};

use super::{RECORD, annoyed, batch, listed, nps, with};
use crate::{ids::Ids, world::World};

#[tokio::test]
async fn the_same_batch_twice_records_nothing_twice() {
    let world = World::small().await;
    let (manager, ids) = (world.sign_in("cx-manager").await, Ids::of(&world).await);
    let one = with(
        nps(&ids["T2"], 9, "2025-03-04"),
        json!({ "externalId": "a", "respondent": "r" }),
    );
    let two = with(
        nps(&ids["T3"], 2, "2025-03-05"),
        json!({ "externalId": "b", "channelId": ids["WEB"], "cause": "PRICE", "comment": "Dear" }),
    );
    let both = batch(&[one.clone(), two.clone()]);
    manager.does(RECORD, both.clone()).await;
    let again = manager.does(RECORD, both).await;
    assert_eq!(
        (&again["recorded"], &again["unchanged"]),
        (&json!(0), &json!(2))
    );
    let third = with(
        nps(&ids["T3"], 3, "2025-03-05"),
        json!({ "externalId": "c" }),
    );
    for (otherwise, field) in [
        (json!({ "score": 1 }), "score"),
        (json!({ "channelId": ids["PHONE"] }), "channelId"),
        (json!({ "cause": "PROCESS" }), "cause"),
        (json!({ "comment": "Too dear" }), "comment"),
        (json!({ "respondent": "r" }), "respondent"),
        (json!({ "metOn": "2025-03-04" }), "metOn"),
        (
            json!({ "score": 3, "touchpointId": ids["T2"] }),
            "score`, `touchpointId",
        ),
    ] {
        let changed = with(two.clone(), otherwise);
        let sent = batch(&[third.clone(), changed]);
        let errors = manager.tries(RECORD, sent).await["userErrors"].take();
        let message = format!("You have recorded this external id with another `{field}`.");
        assert_eq!(
            errors,
            json!([{ "code": "DUPLICATE", "field": ["feedback", "1", "externalId"], "message": message }])
        );
    }
    // A moment is more than its day: another one of the same day is another answer.
    let timed = |at: &str| {
        batch(&[
            json!({ "externalId": "t", "scale": "NPS", "score": 4, "touchpointId": ids["T3"], "answeredAt": at }),
        ])
    };
    manager.does(RECORD, timed("2025-03-05T09:30:00Z")).await;
    let again = manager
        .does(RECORD, timed("2025-03-05T10:30:00+01:00"))
        .await;
    assert_eq!(again["unchanged"], json!(1), "the same moment");
    let later = manager.tries(RECORD, timed("2025-03-05T09:31:00Z")).await;
    let message = "You have recorded this external id with another `answeredAt`.";
    assert_eq!(later["userErrors"][0]["message"], json!(message));
    let less = with(
        nps(&ids["T3"], 2, "2025-03-05"),
        json!({ "externalId": "b" }),
    );
    let less = manager.does(RECORD, batch(&[less])).await;
    assert_eq!(less["unchanged"], json!(1), "it says nothing else");
    assert_eq!(listed(&manager, Value::Null).await.len(), 3, "all or none");
    let twice = manager.refused(RECORD, batch(&[two.clone(), two])).await;
    assert_eq!(twice, ["DUPLICATE"]);
}

#[tokio::test]
async fn an_external_id_tells_nothing_but_to_who_recorded_it() {
    let world = World::small().await;
    let ids = Ids::of(&world).await;
    annoyed(&world, &ids).await;
    let contributor = world.sign_in("contributor").await;
    for score in [3, 4] {
        let named = format!("s-{}", score - 2);
        let guess = with(
            nps(&ids["T2"], score, "2025-03-04"),
            json!({ "externalId": named }),
        );
        let done = contributor
            .does(RECORD, batch(std::slice::from_ref(&guess)))
            .await;
        assert_eq!(done["recorded"], json!(1), "ids of their own: {score}");
        let done = contributor.does(RECORD, batch(&[guess])).await;
        assert_eq!(done["unchanged"], json!(1), "recorded once: {score}");
    }
}
