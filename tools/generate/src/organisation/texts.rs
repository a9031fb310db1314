//! Texts that look like those of an organisation: of many lengths, with letters beyond ASCII and with quotes.

use entity::words::{Medium, Stage};

use super::random::Random;

pub(super) const DIVISIONS: [&str; 6] = [
    "Customer Service",
    "Digital",
    "Operations",
    "Finance & Billing",
    "Sales and Advice",
    "People",
];

pub(super) const TEAMS: [&str; 24] = [
    "Front Desk Århus",
    "Telephone Team",
    "Self-service",
    "Mobile App",
    "Field Technicians",
    "Planning & Dispatch",
    "Invoicing",
    "Payments",
    "Complaints",
    "Welcome Team",
    "Student Counselling",
    "Enrolment Office",
    "Market Insight",
    "Data Quality",
    "Facilities Køge",
    "Identity and Access",
    "Learning Platform",
    "Partnerships",
    "Retention “Bliv hos os”",
    "Credit Control",
    "Press & Communication",
    "Onboarding",
    "Warehouse Tromsø",
    "Quality Assurance",
];

pub(super) const CHANNELS: [(&str, &str, Medium); 12] = [
    ("counter", "Counter", Medium::Person),
    ("telephone", "Telephone", Medium::Phone),
    ("website", "Website", Medium::Web),
    ("my-page", "My page", Medium::Web),
    ("app", "App", Medium::App),
    ("e-mail", "E-mail", Medium::Mail),
    ("letter", "Letter", Medium::Post),
    ("social-media", "Social media", Medium::Social),
    ("open-day", "Open day (åbent hus)", Medium::Event),
    ("retail-partner", "Retail partner", Medium::Partner),
    ("survey", "Survey", Medium::Survey),
    ("case-system", "Case system", Medium::Internal),
];

pub(super) const SEGMENTS: [(&str, &str); 8] = [
    ("LIFE_STAGE", "Young adult"),
    ("LIFE_STAGE", "Family with children"),
    ("LIFE_STAGE", "Retired"),
    ("MARKET", "Denmark"),
    ("MARKET", "Norway"),
    ("MARKET", "Føroyar"),
    ("EDUCATION_TYPE", "Vocational"),
    ("EDUCATION_TYPE", "Bachelor’s degree"),
];

pub(super) const PEOPLE: [&str; 12] = [
    "Søren, who has just moved",
    "Åse with the old contract",
    "Mikkel “Mikki” Hansen, student",
    "The careful planner",
    "The family in a hurry",
    "Björn, small business owner",
    "Ingrid, who never calls",
    "The returning customer",
    "Amélie, new in the country",
    "Grandfather Ove",
    "The sceptic",
    "The colleague on day one",
];

pub(super) const NEEDS: [&str; 8] = [
    "To know what happens next, and when",
    "One person who answers for the whole case",
    "To be told in plain words what it costs",
    "Not to explain the same thing twice",
    "To be able to do it in the evening, on the phone, without \"Acrobat Reader\"",
    "Proof in writing",
    "To get hold of a human being within 5 minutes",
    "A way back if it goes wrong",
];

pub(super) const JOURNEYS: [&str; 10] = [
    "Moving house",
    "Becoming a customer",
    "The first bill",
    "A fault in the middle of the night",
    "Ny på studiet",
    "Cancelling, and perhaps staying",
    "Changing the contract",
    "A complaint from letter to answer",
    "From application to “velkommen”",
    "Returning after a year away",
];

pub(super) const PLACES: [&str; 9] = [
    "Ærø",
    "Ålborg",
    "Tromsø",
    "Malmö",
    "Køge",
    "Bergen",
    "Göteborg",
    "Skagen",
    "Tórshavn",
];

pub(super) const PHASES: [(&str, Stage, &str); 6] = [
    (
        "Becoming aware",
        Stage::Before,
        "I know that this is possible",
    ),
    ("Choosing", Stage::Before, "I dare to decide"),
    ("Beginning", Stage::Goal, "I get started without help"),
    ("Using", Stage::Goal, "It simply works"),
    (
        "Getting help",
        Stage::After,
        "Somebody takes it off my hands",
    ),
    ("Looking back", Stage::After, "I would do it again"),
];

const DOING: [&str; 20] = [
    "Reads about",
    "Compares",
    "Asks for",
    "Fills in",
    "Waits for",
    "Receives",
    "Checks",
    "Pays",
    "Corrects",
    "Books",
    "Cancels",
    "Confirms",
    "Signs",
    "Files",
    "Forwards",
    "Approves",
    "Looks up",
    "Reports",
    "Rates",
    "Recommends",
];

const THINGS: [&str; 24] = [
    "the offer",
    "the price list",
    "the meter reading",
    "the contract",
    "the first invoice",
    "the welcome letter",
    "the technician’s visit",
    "a new password",
    "the call back",
    "the confirmation by text message",
    "the waiting list",
    "the study plan",
    "the refund",
    "the “Kom godt i gang” guide",
    "the delivery slot",
    "the identity check",
    "the case number",
    "the reminder",
    "the exam registration",
    "the survey",
    "the annual statement",
    "the payment agreement",
    "the router",
    "the open day",
];

const SENTENCES: [&str; 14] = [
    "Most of it happens on the phone, although the form is there.",
    "Two systems show different dates.",
    "Called \"the black hole\" by those who work here.",
    "Nobody owns the text of this letter since 2019.",
    "Customers with an ø in their name get a wrong salutation.",
    "The answer is usually there the same day, except in week 42.",
    "It takes four clicks; it should take one.",
    "What the customer hears here decides whether they come back.",
    "The partner answers within 48 hours, we promise 24.",
    "Seen in 12 of 15 interviews.",
    "“Jeg opgav til sidst” – said by three of them, in three different towns.",
    "Works well: leave it alone.",
    "The deadline is set by law, the wording is ours.",
    "See the service agreement, paragraph 4.",
];

const TASKS: [&str; 10] = [
    "Answers within the hour",
    "Keeps the text up to date",
    "Reads the queue every morning",
    "Calls back the same day",
    "Approves refunds below 500 kr.",
    "Signs off the letter \"Velkommen\"",
    "Reports faults to Drift & Anlæg",
    "Trains new colleagues",
    "Checks the figures on the 1st",
    "Watches the promise of 24 hours",
];

pub(super) const SYSTEMS: [&str; 8] = [
    "CRM",
    "Billing",
    "Case system",
    "Telephony",
    "Identity",
    "Learning platform",
    "Data warehouse",
    "Letter archive",
];

pub(super) const EVIDENCE: [&str; 6] = [
    "Confirmation by e-mail",
    "Letter with a logo",
    "Text message",
    "Receipt",
    "Page “Mit overblik”",
    "The technician’s card",
];

pub(super) fn random_object_name(random: &mut Random) -> &'static str {
    random.pick(&THINGS)
}

/// The name of a step, such as "Pays the first invoice".
pub(super) fn random_step_name(random: &mut Random) -> String {
    format!("{} {}", random.pick(&DOING), random.pick(&THINGS))
}

/// `count` different sentences.
pub(super) fn random_sentences(random: &mut Random, count: usize) -> String {
    let picked = random
        .pick_indices(count, SENTENCES.len())
        .into_iter()
        .map(|at| SENTENCES[at]);
    picked.collect::<Vec<_>>().join(" ")
}

pub(super) fn random_tasks(random: &mut Random, count: usize) -> Vec<String> {
    random
        .pick_indices(count, TASKS.len())
        .into_iter()
        .map(|at| TASKS[at].to_owned())
        .collect()
}
