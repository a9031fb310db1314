//! Walks over the keys by which parts name touchpoints and phases: dropping those that dangle, and renaming them.

use std::collections::{HashMap, HashSet};

use entity::words::ResponsibilityStatus;

use super::{blueprint::Document, merge::SourceMap};

impl Document {
    /// Drops references to pruned touchpoints and phases, as archiving would. Parts named by the import stay, so that
    /// validation reports them.
    pub(super) fn drop_dangling(&mut self, places: &SourceMap) {
        let lower = |key: &String| key.trim().to_lowercase();
        let touchpoints: HashSet<String> = self
            .touchpoints
            .iter()
            .map(|part| lower(&part.key))
            .collect();
        let phases: HashSet<String> = self.phases.iter().map(|part| lower(&part.key)).collect();
        let at = |key: Option<&String>| key.is_none_or(|key| touchpoints.contains(&lower(key)));
        let within = |key: Option<&String>| key.is_none_or(|key| phases.contains(&lower(key)));
        self.transitions.retain(|part| {
            places.names("transitions", part) || (at(part.from.as_ref()) && at(part.to.as_ref()))
        });
        self.responsibilities
            .retain(|part| places.names("responsibilities", part) || at(Some(&part.touchpoint)));
        self.kpi_links.retain(|part| {
            let there = at(part.touchpoint.as_ref()) && within(part.phase.as_ref());
            places.names("kpiLinks", part) || there
        });
        self.insights.retain(|part| {
            let there = at(part.touchpoint.as_ref()) && within(part.phase.as_ref());
            places.names("insights", part) || there
        });
        let insights: HashSet<String> = self.insights.iter().map(|part| lower(&part.key)).collect();
        for insight in &mut self.insights {
            if !places.names("insights", &*insight) {
                insight.answered_by = insight
                    .answered_by
                    .take()
                    .filter(|key| insights.contains(&lower(key)));
            }
        }
        self.promises
            .retain(|part| places.names("promises", part) || at(Some(&part.touchpoint)));
        self.evaluations
            .retain(|part| places.names("evaluations", part) || at(Some(&part.touchpoint)));
        for promise in &mut self.promises {
            if !places.names("promises", &*promise) {
                promise.delivered_at.retain(|key| at(Some(key)));
            }
        }
        for improvement in &mut self.improvements {
            if !places.names("improvements", &*improvement) {
                improvement.touchpoints.retain(|key| at(Some(key)));
            }
        }
        for scenario in &mut self.scenarios {
            if !places.names("scenarios", &*scenario) {
                scenario.touchpoints.retain(|key| at(Some(key)));
            }
        }
    }
}

impl Document {
    /// The document without open proposals: only responsibilities that are ACCEPTED.
    #[must_use]
    pub fn agreed(mut self) -> Self {
        self.responsibilities
            .retain(|part| part.status == ResponsibilityStatus::Accepted);
        self
    }

    /// Renames phases and touchpoints, wherever they are named. The maps go from the old key in small letters to the
    /// new one; a key that is not in them stays.
    #[must_use]
    pub fn rekeyed(
        mut self,
        phases: &HashMap<String, String>,
        touchpoints: &HashMap<String, String>,
    ) -> Self {
        let renamed = |keys: &HashMap<String, String>, key: &mut String| {
            if let Some(told) = keys.get(&key.to_lowercase()) {
                key.clone_from(told);
            }
        };
        let phase = |key: &mut String| renamed(phases, key);
        let at = |key: &mut String| renamed(touchpoints, key);
        self.phases.iter_mut().for_each(|part| phase(&mut part.key));
        for part in &mut self.touchpoints {
            at(&mut part.key);
            phase(&mut part.phase);
        }
        for part in &mut self.transitions {
            part.from.iter_mut().chain(&mut part.to).for_each(at);
        }
        self.responsibilities
            .iter_mut()
            .for_each(|part| at(&mut part.touchpoint));
        for part in &mut self.kpi_links {
            part.touchpoint.iter_mut().for_each(at);
            part.phase.iter_mut().for_each(phase);
        }
        self.scenarios
            .iter_mut()
            .flat_map(|part| &mut part.touchpoints)
            .for_each(at);
        for part in &mut self.insights {
            part.touchpoint.iter_mut().for_each(at);
            part.phase.iter_mut().for_each(phase);
        }
        for part in &mut self.promises {
            at(&mut part.touchpoint);
            part.delivered_at.iter_mut().for_each(at);
        }
        for part in &mut self.evaluations {
            at(&mut part.touchpoint);
            part.conflicts_with.iter_mut().for_each(at);
        }
        let improvement_touchpoints = self.improvements.iter_mut();
        improvement_touchpoints
            .flat_map(|part| &mut part.touchpoints)
            .for_each(at);
        self.sorted()
    }
}
