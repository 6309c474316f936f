//! A panic is a mistake of ours; the client gets a problem with the request's id all the same.

use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use pilot_exchange::access::secrets::Secrets;
use pilot_exchange::app::{Clock, State};
use pilot_exchange::config::Config;
use pilot_exchange::database::Database;
use pilot_exchange::http::middleware;
use serde_json::Value;

async fn stumble() -> &'static str {
    panic!("on purpose")
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_problem_and_the_server_goes_on() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Config {
        oidc_issuers: vec![],
        public_clients: vec![],
        listen: address,
        public_url: "http://registry.test".into(),
        drain_seconds: 1,
        publisher_name: "Pilot Exchange".into(),
        publisher_url: None,
        data_licence: "CC-BY-4.0".into(),
        rate_reads: 0,
        rate_writes: 0,
        metrics_listen: None,
        cache_megabytes: 0,
        trusted_proxies: vec![],
        export_stall_seconds: 60,
        webhook_allow_private: false,
        worker: false,
    };
    let database = Database::new("postgresql://nobody@127.0.0.1:1/nowhere", 2).unwrap();
    let state = web::Data::new(State::new(config, database, Secrets::new(&[7; 32]), Clock::System));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(middleware::entry))
            .wrap(Compress::default())
            .wrap(from_fn(middleware::outermost))
            .route("/stumble", web::get().to(stumble))
    });
    let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    for request_id in ["first", "second"] {
        let request = reqwest::Client::new().get(format!("http://{address}/stumble"));
        let answer = request.header("x-request-id", request_id).send().await.unwrap();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        assert_eq!(answer.headers()["x-request-id"], request_id);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["code"], &problem["request_id"]), (&"internal".into(), &request_id.into()));
        assert!(!problem.to_string().contains("on purpose"));
    }
    handle.stop(false).await;
}
