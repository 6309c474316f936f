//! The catalogue is DCAT-AP 3 to a reader of RDF that fetches nothing.

use oxjsonld::JsonLdParser;
use oxrdf::{Graph, NamedNodeRef, NamedOrBlankNode, TermRef, Triple, vocab::rdf};
use serde_json::json;

use crate::support::{App, new_pilot};

const DCAT: &str = "http://www.w3.org/ns/dcat#";
const DCT: &str = "http://purl.org/dc/terms/";

fn read(text: &str) -> Graph {
    let quads = JsonLdParser::new().for_slice(text.as_bytes()).map(Result::unwrap);
    quads.map(|quad| Triple::new(quad.subject, quad.predicate, quad.object)).collect()
}

fn of_type(graph: &Graph, name: &str) -> Vec<NamedOrBlankNode> {
    let kind = format!("{DCAT}{name}");
    let kind = NamedNodeRef::new(&kind).unwrap();
    graph.subjects_for_predicate_object(rdf::TYPE, kind).map(Into::into).collect()
}

fn values(graph: &Graph, subject: &NamedOrBlankNode, property: &str) -> Vec<String> {
    let property = NamedNodeRef::new(property).unwrap();
    let text = |term: TermRef<'_>| match term {
        TermRef::Literal(literal) => literal.value().to_owned(),
        other => other.to_string().trim_matches(['<', '>']).to_owned(),
    };
    graph.objects_for_subject_predicate(subject, property).map(text).collect()
}

#[tokio::test]
async fn the_catalogue_has_what_dcat_ap_demands() {
    let app = App::start().await;
    let answer = app.anonymous().get("/catalog.jsonld").await;
    assert_eq!(answer.header("content-type"), Some("application/ld+json"));
    let graph = read(&answer.text);
    let demanded: &[(&str, usize, &[&str])] = &[
        (
            "Catalog",
            1,
            &[
                "dct:title",
                "dct:description",
                "dct:publisher",
                "dct:license",
                "dct:modified",
                "dcat:dataset",
                "dcat:service",
            ],
        ),
        (
            "Dataset",
            17,
            &[
                "dct:title",
                "dct:description",
                "dct:publisher",
                "dcat:theme",
                "dcat:distribution",
                "dcat:contactPoint",
                "dct:spatial",
            ],
        ),
        ("Distribution", 17 * 4 + 3, &["dcat:accessURL", "dcat:downloadURL", "dcat:mediaType", "dct:license"]),
        ("DataService", 1, &["dct:title", "dcat:endpointURL", "dcat:endpointDescription", "dcat:servesDataset"]),
    ];
    for (kind, count, properties) in demanded {
        let nodes = of_type(&graph, kind);
        assert_eq!(nodes.len(), *count, "{kind}");
        for node in &nodes {
            for property in *properties {
                let iri = property.replace("dct:", DCT).replace("dcat:", DCAT);
                assert!(!values(&graph, node, &iri).is_empty(), "{node} has no {property}");
            }
        }
    }
    let anonymous = app.anonymous();
    for distribution in of_type(&graph, "Distribution") {
        let url = values(&graph, &distribution, &format!("{DCAT}downloadURL")).remove(0);
        let path = url.strip_prefix("http://registry.test").expect("absolute, under the public URL").to_owned();
        let head = loop {
            let head = anonymous.send(anonymous.request("HEAD", &path)).await;
            // Two exports at once are for one client; a moment later those before have ended.
            let Some(seconds) = head.header("retry-after").filter(|_| head.status == 503) else { break head };
            tokio::time::sleep(std::time::Duration::from_secs(seconds.parse().unwrap())).await;
        };
        assert_eq!(head.status, 200, "{path}");
        let media = values(&graph, &distribution, &format!("{DCAT}mediaType")).remove(0);
        let served = head.header("content-type").unwrap().split(';').next().unwrap();
        assert!(media.ends_with(served), "{media} is served as {served}");
    }
    for dataset in of_type(&graph, "Dataset") {
        let themes = values(&graph, &dataset, &format!("{DCAT}theme"));
        assert!(
            themes.iter().all(|one| one.starts_with("http://publications.europa.eu/resource/authority/data-theme/"))
        );
    }
}

#[tokio::test]
async fn the_catalogue_changes_with_public_records_only() {
    let app = App::start().await;
    let (busan, anonymous) = (app.busan().await, app.anonymous());
    let etag = anonymous.get("/catalog.jsonld").await.etag();
    let again = async || {
        anonymous.send(anonymous.request("GET", "/catalog.jsonld").header("if-none-match", &etag)).await.status
    };
    assert_eq!(again().await, 304);
    new_pilot(&busan, json!({"visibility": "private"})).await;
    new_pilot(&busan, json!({"visibility": "partners"})).await;
    assert_eq!(again().await, 304);
    new_pilot(&busan, json!({})).await;
    assert_eq!(again().await, 200);
}
