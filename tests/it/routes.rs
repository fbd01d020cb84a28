//! Whatever axum routes to a handler, the gate saw the same template or refused.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::{Router, body::Body, extract::MatchedPath, routing::get};
use http_body_util::BodyExt;
use portcullis::{Class, Gate, Routes, testing::Recorder, tower::GateLayer};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::Config};
use tower::ServiceExt;

use crate::kit::{block_on, only};

/// What the gate said of the request: the template it saw, or the class of its refusal.
fn said(log: &Recorder) -> Result<String, Class> {
    let recorded = only(log);
    let event = recorded.event();
    match event.refusal {
        None => Ok(event.template.unwrap_or_default().to_owned()),
        Some(refusal) => Err(refusal.class()),
    }
}

fn templates() -> impl Strategy<Value = Vec<String>> {
    let segment = select(vec!["a", "b", "@me", "a:b", "{p}", "{p}"]);
    let template = (vec(segment, 1..4), select(vec!["", "", "/", "/{*rest}"]));
    vec(template.prop_map(|(segments, tail)| format!("/{}{tail}", segments.join("/"))), 1..7)
}

fn path() -> impl Strategy<Value = String> {
    let usual = select(vec!["a", "b", "z", "@me", "a:b", "a+b"]);
    let odd = select(vec![
        "", ".", "..", "%61", "%2e", "%2E%2e", "%40me", "a%3Ab", "a%2Fb", "a%2fb", "a%5Cb",
        "a;x=1", "%00", "%C3%A9", "%c3%a9", "%2541", "%25", "A", "{p}", "*", "%7Ep", "a%20b", "~",
        "%",
    ]);
    let segment = prop_oneof![3 => usual, 1 => odd];
    (vec(segment, 1..5), select(vec!["", "", "/", "?q=/a/b"]))
        .prop_map(|(segments, tail)| format!("/{}{tail}", segments.join("/")))
}

/// axum's router panics where templates conflict; such a table is no router.
fn router(templates: &[String]) -> Option<Router> {
    let handler = |path: MatchedPath| async move { path.as_str().to_owned() };
    let build = || {
        let route = |router: Router, template: &String| router.route(template, get(handler));
        templates.iter().fold(Router::new(), route)
    };
    catch_unwind(AssertUnwindSafe(build)).ok()
}

fn gate(templates: &[String], log: &Recorder) -> Gate {
    let public = |routes: Routes, template: &String| routes.public("GET", template);
    let routes = templates.iter().fold(Routes::new(), public);
    Gate::builder().routes(routes).audit(log.clone()).build().unwrap()
}

/// The template whose handler answered, if one did.
async fn reached(app: Router, path: &str) -> Option<String> {
    let request = http::Request::get(path).body(Body::empty()).ok()?;
    let response = app.oneshot(request).await.unwrap();
    if response.status() != 200 {
        return None;
    }
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Some(String::from_utf8(body.to_vec()).unwrap())
}

proptest! {
    #![proptest_config(Config { cases: 1500, ..Config::default() })]

    /// The gate reads the path itself; its table lists every template of the router.
    #[test]
    fn by_path(mut templates in templates(), path in path()) {
        templates.sort();
        templates.dedup();
        let Some(router) = router(&templates) else { return Ok(()) };
        let log = Recorder::default();
        let app = router.clone().layer(GateLayer::new(gate(&templates, &log)));
        let bare = block_on(reached(router, &path));
        match block_on(reached(app, &path)) {
            Some(template) => {
                prop_assert_eq!(said(&log), Ok(template));
            }
            None if bare.is_some() => {
                // Only what could be read as another path may be lost.
                prop_assert_eq!(said(&log), Err(Class::Malformed));
            }
            None => {}
        }
    }

    /// The gate reads the router's template; its table may list fewer.
    #[test]
    fn by_template(mut templates in templates(), listed in 1..7usize, path in path()) {
        templates.sort();
        templates.dedup();
        let Some(router) = router(&templates) else { return Ok(()) };
        let log = Recorder::default();
        let listed = &templates[..listed.min(templates.len())];
        let layer = GateLayer::new(gate(listed, &log))
            .template(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
        let bare = block_on(reached(router.clone(), &path));
        let through = block_on(reached(router.layer(layer), &path));
        let expected = bare.filter(|template| listed.contains(template));
        prop_assert_eq!(&through, &expected);
        if let Some(template) = through {
            prop_assert_eq!(said(&log), Ok(template));
        }
    }
}
