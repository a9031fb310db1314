//! Strongly connected components of a graph, by Tarjan.

/// The nodes of each circle, given the nodes that each one leads to.
pub fn circles(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut walk = Walk {
        edges,
        seen: vec![None; edges.len()],
        path: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    for node in 0..edges.len() {
        if walk.seen[node].is_none() {
            walk.visit(node);
        }
    }
    walk.found
}

struct Walk<'g> {
    edges: &'g [Vec<usize>],
    /// When a node was first met; the last number once its component is known.
    seen: Vec<Option<usize>>,
    path: Vec<usize>,
    next: usize,
    found: Vec<Vec<usize>>,
}

impl Walk<'_> {
    /// The earliest node of the path that can be reached from this one.
    fn visit(&mut self, node: usize) -> usize {
        let own = self.next;
        self.next += 1;
        self.seen[node] = Some(own);
        let depth = self.path.len();
        self.path.push(node);
        let mut earliest = own;
        for &to in &self.edges[node] {
            earliest = earliest.min(match self.seen[to] {
                None => self.visit(to),
                Some(seen) => seen,
            });
        }
        if earliest == own {
            let component = self.path.split_off(depth);
            for &done in &component {
                self.seen[done] = Some(usize::MAX);
            }
            if component.len() > 1 {
                self.found.push(component);
            }
        }
        earliest
    }
}

#[test]
fn two_circles_that_touch_in_no_node_are_two() {
    let edges = [vec![1], vec![0, 2], vec![3], vec![4], vec![2], vec![4]];
    let mut found = circles(&edges);
    found.iter_mut().for_each(|circle| circle.sort_unstable());
    found.sort_unstable();
    assert_eq!(found, [vec![0, 1], vec![2, 3, 4]]);
}
