//! Headless Chromium, driven over WebDriver [W3C] by the ChromeDriver on the PATH.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::process::{Folder, free_port, send, until};

/// The name under which WebDriver gives an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own; its session and its processes end with it.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    http: Client,
    profile: Option<Folder>,
    /// How often something was clicked.
    pub clicks: usize,
}

impl Browser {
    pub async fn open() -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver cannot be run ({error}); install it: scripts/setup browser"));
        let profile = Some(Folder::new());
        let mut browser = Self { driver, port, session: String::new(), http: Client::new(), profile, clicks: 0 };
        until("chromedriver answers", Duration::from_secs(20), async || {
            browser.http.get(format!("http://127.0.0.1:{port}/status")).send().await.is_ok()
        })
        .await;
        let session = browser.call(Method::POST, "/session", browser.capabilities()).await;
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    fn capabilities(&self) -> Value {
        let profile = self.profile.as_ref().map(|folder| folder.0.display().to_string()).unwrap();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,2000",
            &format!("--user-data-dir={profile}"),
        ];
        json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}})
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        self.try_call(method, path, body).await.unwrap_or_else(|error| {
            panic!("{path}: {error}\nis Chromium there, of ChromeDriver's version? scripts/setup browser")
        })
    }

    async fn try_call(&self, method: Method, path: &str, body: Value) -> Result<Value, Value> {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = self.http.request(method, url);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let succeeded = answer.status().is_success();
        let value = answer.json::<Value>().await.unwrap()["value"].take();
        if succeeded { Ok(value) } else { Err(value) }
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, &format!("{}{path}", self.session), body).await
    }

    pub async fn goto(&self, url: &str) {
        self.command("/url", json!({"url": url})).await;
    }

    /// Goes to the window that was opened last, or with `false` to the first one.
    pub async fn switch_window(&self, newest: bool) {
        let handles = async || {
            let handles = self.call(Method::GET, &format!("{}/window/handles", self.session), Value::Null).await;
            handles.as_array().unwrap().clone()
        };
        until("the windows are as they should be", Duration::from_secs(20), async || {
            (handles().await.len() > 1) == newest
        })
        .await;
        let handles = handles().await;
        let handle = if newest { handles.last() } else { handles.first() };
        self.command("/window", json!({"handle": handle})).await;
    }

    /// Sets what the page can use, in CSS pixels, and whether it should be dark.
    pub async fn shape(&self, width: u32, height: u32, is_dark: bool) {
        let emulate = async |command: &str, parameters: Value| {
            self.command("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
        };
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        emulate("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = json!({"name": "prefers-color-scheme", "value": if is_dark { "dark" } else { "light" }});
        emulate("Emulation.setEmulatedMedia", json!({"features": [scheme]})).await;
    }

    /// What a script returns.
    pub async fn script(&self, script: &str) -> Value {
        self.command("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Waits until an element can be seen, and gives its path.
    async fn element(&self, css: &str) -> String {
        let visible = format!("return !!document.querySelector({0})?.checkVisibility()", json!(css));
        until(&format!("{css} can be seen"), Duration::from_secs(20), async || self.script(&visible).await == true)
            .await;
        let element = self.command("/element", json!({"using": "css selector", "value": css})).await;
        format!("/element/{}", element[ELEMENT].as_str().unwrap())
    }

    pub async fn click(&mut self, css: &str) {
        let element = self.element(css).await;
        self.clicks += 1;
        self.command(&format!("{element}/click"), json!({})).await;
    }

    /// Clicks into a field and types.
    pub async fn fill(&mut self, css: &str, text: &str) {
        self.click(css).await;
        let element = self.element(css).await;
        self.command(&format!("{element}/clear"), json!({})).await;
        self.command(&format!("{element}/value"), json!({"text": text})).await;
    }

    pub async fn text(&self, css: &str) -> String {
        let element = self.element(css).await;
        let text = self.call(Method::GET, &format!("{}{element}/text", self.session), Value::Null).await;
        text.as_str().unwrap().to_owned()
    }

    /// The errors in the console, and what the Content-Security-Policy forbade.
    pub async fn complaints(&self) -> Vec<String> {
        let entries = self.command("/se/log", json!({"type": "browser"})).await;
        let is_error = |entry: &&Value| {
            entry["level"] == "SEVERE" || entry["message"].as_str().unwrap().contains("Content Security Policy")
        };
        let errors = entries.as_array().unwrap().iter().filter(is_error);
        errors.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything that the page has loaded.
    pub async fn loaded(&self) -> Vec<String> {
        let entries = self
            .script(
                "return performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith('data:'))",
            )
            .await;
        entries.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// Scrolls an element to the middle of the window.
    pub async fn show(&self, css: &str) {
        self.element(css).await;
        self.script(&format!("document.querySelector({}).scrollIntoView({{block: 'center'}})", json!(css))).await;
    }

    /// Keeps what is seen in target/screenshots.
    pub async fn screenshot(&self, name: &str) {
        let image = self.call(Method::GET, &format!("{}/screenshot", self.session), Value::Null).await;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), STANDARD.decode(image.as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    /// Ends the session, whose end ends Chromium, then the driver.
    fn drop(&mut self) {
        let end = || {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            let head = "Host: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(format!("DELETE {} HTTP/1.1\r\n{head}", self.session).as_bytes())?;
            stream.read_to_string(&mut String::new())
        };
        if !self.session.is_empty() {
            let _ = end();
        }
        send(self.driver.id(), Signal::TERM);
        let _ = self.driver.wait();
    }
}
