//! A touchpoint as a card: what it says, how high that is, and its drawing. Where it stands is not decided here.

use entity::{
    touchpoint,
    words::{Basis, Lane, ResponsibilityStatus, Role, Usage},
};

use super::{
    drawing::{Anchor, Area, Drawing},
    gauge::{self, Gauge},
    text::{Font, clean_line},
};
use crate::canvas::Canvas;

/// The width of every card.
pub(super) const WIDTH: f64 = 212.0;
/// The lowest card: its ends of the graph still fit beside it.
const LOWEST: f64 = 104.0;
const PAD: f64 = 13.0;
const INNER: f64 = WIDTH - 2.0 * PAD;

const NUMBER: Font = Font::bold(10.5);
const META: Font = Font::plain(10.0);
const NAME: Font = Font::bold(13.5);
const NAME_LEADING: f64 = 16.5;
const TAG: Font = Font::label(8.0);
const ROLE: Font = Font::bold(8.5);
const HELD: Font = Font::plain(10.5);
const ROW: f64 = 16.0;
/// A role's little box, with the room to the next.
const BOX: f64 = 12.0;
const BOXES: f64 = 14.0;

/// Departments and KPIs that are shown each; one row less where there are more, to say so.
const MOST_DEPARTMENTS: usize = 4;
const MOST_KPIS: usize = 3;

/// What a department has to do with a touchpoint.
struct DepartmentRoles {
    department: String,
    roles: Vec<(Role, ResponsibilityStatus)>,
}

/// A touchpoint as a card.
pub(super) struct Card<'c> {
    pub touchpoint: &'c touchpoint::Model,
    /// Its place in the journey, from 1.
    pub number: usize,
    channels: String,
    name: Vec<String>,
    tag: Option<&'static str>,
    /// Somebody should answer for it, and nobody does.
    pub nobody: bool,
    held: Vec<DepartmentRoles>,
    gauges: Vec<Gauge>,
    pub height: f64,
}

impl<'c> Card<'c> {
    pub(super) fn new(
        canvas: &'c Canvas,
        touchpoint: &'c touchpoint::Model,
        number: usize,
    ) -> Self {
        let channels = canvas.channels_of_touchpoint(touchpoint.id).iter();
        let channels: Vec<String> = channels.map(|channel| clean_line(&channel.name)).collect();
        let held = roles_by_department(canvas, touchpoint);
        let answers = |held: &DepartmentRoles| {
            held.roles
                .contains(&(Role::Accountable, ResponsibilityStatus::Accepted))
        };
        let mut card = Self {
            touchpoint,
            number,
            channels: channels.join(" · "),
            name: NAME.wrap(&clean_line(&touchpoint.name), INNER, 3),
            tag: match touchpoint.usage {
                Usage::NotUsed => Some("NOT USED"),
                Usage::Abandoned => Some("ABANDONED"),
                Usage::Used | Usage::Unknown => None,
            },
            nobody: touchpoint.lane != Lane::Customer && !held.iter().any(answers),
            gauges: Gauge::from_links_by_urgency(
                canvas,
                canvas.kpi_links_of_touchpoint(touchpoint.id),
            ),
            held,
            height: 0.0,
        };
        // The card is measured by drawing it.
        card.height = card.draw(&mut Drawing::default(), (0.0, 0.0)).max(LOWEST);
        card
    }

    /// Draws the card at a place, and gives the height of what is on it.
    pub(super) fn draw(&self, drawing: &mut Drawing, (left, top): (f64, f64)) -> f64 {
        let mut bottom = top;
        let class = match self.touchpoint.basis {
            Basis::Assumed => "card guess",
            Basis::Observed => "card",
        };
        drawing.add_group(class, self.describe(), |drawing| {
            let area = Area {
                x: left,
                y: top,
                width: WIDTH,
                height: self.height,
            };
            drawing.add_rectangle("face", area, 7.0);
            if self.touchpoint.essential {
                let path = format!("M{} {}h{}", left + 7.0, top + 1.25, WIDTH - 14.0);
                drawing.add_path("essential", path);
            }
            bottom = self.draw_head(drawing, (left + PAD, top));
            bottom = self.draw_departments(drawing, (left + PAD, bottom));
            bottom = self.draw_kpis(drawing, (left + PAD, bottom));
        });
        bottom + 8.0 - top
    }

    /// Number, channels, name and use; gives where it ends.
    fn draw_head(&self, drawing: &mut Drawing, (x, y): (f64, f64)) -> f64 {
        let line = y + 19.5;
        let number = self.number.to_string();
        let mut right = x + INNER;
        if self.touchpoint.moment_of_truth {
            draw_star(drawing, (right - 5.0, line - 3.5));
            right -= 16.0;
        }
        drawing.add_text("ink", NUMBER, (x, line), &number);
        let after = x + NUMBER.width(&number) + 7.0;
        let channels = META.clip(&self.channels, right - after);
        drawing.add_text("quiet", META, (after, line), &channels);
        let mut y =
            drawing.add_text_lines("ink", NAME, (x, y + 39.0), NAME_LEADING, &self.name) - 8.5;
        if let Some(tag) = self.tag {
            drawing.add_text("warn", TAG, (x, y + 6.0), tag);
            y += 12.0;
        }
        y
    }

    fn draw_departments(&self, drawing: &mut Drawing, (x, mut y): (f64, f64)) -> f64 {
        if self.held.is_empty() && !self.nobody {
            return y;
        }
        drawing.add_path("rule", format!("M{x} {}h{INNER}", y + 1.0));
        y += 6.0;
        if self.nobody {
            draw_role(drawing, "offered", "A", (x, y));
            let place = (x + 2.0 * BOXES + 3.0, y + ROW - 4.4);
            drawing.add_text("warn", HELD, place, "nobody answers for it");
            y += ROW;
        }
        let shown = count_shown_rows(self.held.len(), MOST_DEPARTMENTS);
        for held in self.held.iter().take(shown) {
            let roles = u8::try_from(held.roles.len()).unwrap_or(u8::MAX);
            let mut left = x;
            for (which, status) in &held.roles {
                let offered = *status != ResponsibilityStatus::Accepted;
                draw_role(
                    drawing,
                    role_box_class(*which, offered),
                    role_letter(*which),
                    (left, y),
                );
                left += BOXES;
            }
            let left = f64::from(roles.max(2)) * BOXES + 3.0;
            let name = HELD.clip(&held.department, INNER - left);
            drawing.add_text("ink", HELD, (x + left, y + ROW - 4.4), &name);
            y += ROW;
        }
        draw_left_out_count(drawing, self.held.len() - shown, (x, y))
    }

    fn draw_kpis(&self, drawing: &mut Drawing, (x, mut y): (f64, f64)) -> f64 {
        if self.gauges.is_empty() {
            return y;
        }
        drawing.add_path("rule", format!("M{x} {}h{INNER}", y + 4.0));
        y += 8.0;
        let shown = count_shown_rows(self.gauges.len(), MOST_KPIS);
        for gauge in self.gauges.iter().take(shown) {
            gauge.draw(drawing, (x, y), INNER);
            y += gauge::ROW;
        }
        draw_left_out_count(drawing, self.gauges.len() - shown, (x, y))
    }

    /// All of it in words, uncut.
    fn describe(&self) -> String {
        let mut told = format!("{}. {}", self.number, clean_line(&self.touchpoint.name));
        let mut say = |text: &str| {
            if !text.is_empty() {
                told.push('\n');
                told.push_str(text);
            }
        };
        say(&self.channels);
        say(&clean_line(
            self.touchpoint
                .customer_action
                .as_deref()
                .unwrap_or_default(),
        ));
        for held in &self.held {
            let roles = held.roles.iter().map(|(role, status)| match status {
                ResponsibilityStatus::Accepted => role.as_str().to_owned(),
                _ => format!("{} ({})", role.as_str(), status.as_str()),
            });
            let roles: Vec<String> = roles.collect();
            say(&format!("{}: {}", held.department, roles.join(", ")));
        }
        if self.touchpoint.moment_of_truth {
            say("A moment of truth");
        }
        if self.touchpoint.basis == Basis::Assumed {
            say("Assumed, not observed");
        }
        told
    }
}

/// Who holds or is offered what, by department: those who answer for it first.
fn roles_by_department(canvas: &Canvas, touchpoint: &touchpoint::Model) -> Vec<DepartmentRoles> {
    let rank = |role: Role| match role {
        Role::Accountable => 0,
        Role::Responsible => 1,
        Role::Consulted => 2,
        Role::Informed => 3,
    };
    let rows = canvas.responsibilities_of_touchpoint(touchpoint.id);
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| (rank(row.role), row.status != ResponsibilityStatus::Accepted));
    let mut held: Vec<(_, DepartmentRoles)> = Vec::new();
    for row in rows {
        let role = (row.role, row.status);
        match held.iter_mut().find(|(id, _)| *id == row.department_id) {
            Some((_, held)) => held.roles.push(role),
            None => {
                let department = canvas.department(row.department_id);
                let department = department.map_or(String::new(), |row| clean_line(&row.name));
                let roles = vec![role];
                held.push((row.department_id, DepartmentRoles { department, roles }));
            }
        }
    }
    held.into_iter().map(|(_, held)| held).collect()
}

/// How many of these rows are shown, where so many are at most.
const fn count_shown_rows(rows: usize, most: usize) -> usize {
    if rows <= most { rows } else { most - 1 }
}

/// Says how many are not shown, and gives the place below.
fn draw_left_out_count(drawing: &mut Drawing, left_out: usize, (x, y): (f64, f64)) -> f64 {
    if left_out == 0 {
        return y;
    }
    let text = format!("+ {left_out} more");
    drawing.add_text("quiet", HELD, (x, y + ROW - 4.4), &text);
    y + ROW
}

pub(super) const fn role_letter(role: Role) -> &'static str {
    match role {
        Role::Accountable => "A",
        Role::Responsible => "R",
        Role::Consulted => "C",
        Role::Informed => "I",
    }
}

/// How a role's box looks.
pub(super) const fn role_box_class(role: Role, offered: bool) -> &'static str {
    match (offered, role) {
        (true, _) => "offered",
        (false, Role::Accountable) => "full",
        (false, Role::Responsible) => "framed",
        (false, Role::Consulted | Role::Informed) => "faint",
    }
}

/// A role's letter in its box.
pub(super) fn draw_role(
    drawing: &mut Drawing,
    class: &'static str,
    letter: &str,
    (x, y): (f64, f64),
) {
    let area = Area {
        x: x + 0.5,
        y: y + 2.0,
        width: BOX,
        height: BOX,
    };
    drawing.add_rectangle(class, area, 2.5);
    let class = if class == "full" { "on-ink" } else { "ink" };
    let place = (x + 0.5 + BOX / 2.0, y + 2.0 + BOX - 3.0);
    drawing.add_anchored_text(class, ROLE, Anchor::Middle, place, letter);
}

/// The mark of a moment of truth, around a point.
pub(super) fn draw_star(drawing: &mut Drawing, (x, y): (f64, f64)) {
    let path = format!(
        "M{x} {}q1 4.5 6 6q-5 1.5 -6 6q-1 -4.5 -6 -6q5 -1.5 6 -6z",
        y - 6.0
    );
    drawing.add_path("truth", path);
}
