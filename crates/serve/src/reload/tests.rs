//! What depends on when somebody looks: these tests look themselves, no clock does.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use farthing_core::Digest;
use tempfile::TempDir;

use super::*;
use crate::serving::Serving;
use crate::tiny::write_tiny_router_with;
use crate::{AppState, Background, Overrides};

/// A server on router `a` of its folder, which `current` names, with settings in `farthing.toml`.
struct Looked {
    dir: TempDir,
    reloader: Reloader,
    slot: RouterSlot,
    background: Background,
}

fn settings(dir: &Path, more: &str) {
    let text = format!("router.path = \"current\"\nrouter.poll_seconds = 0\n{more}");
    fs::write(dir.join("farthing.toml"), text).unwrap();
}

fn point_to(dir: &Path, name: &str) {
    fs::write(dir.join("current"), name).unwrap();
}

fn looked() -> Looked {
    let dir = tempfile::tempdir().unwrap();
    write_tiny_router_with(&dir.path().join("a"), "cheapest_above_bar");
    write_tiny_router_with(&dir.path().join("b"), "best_quality");
    point_to(dir.path(), "a");
    settings(dir.path(), "");
    let sources = Sources {
        file: Some(dir.path().join("farthing.toml")),
        overrides: Overrides::default(),
        read_prices: |_| Err("no prices are configured".into()),
        env: |_| None,
    };
    let config = sources.resolve().unwrap().config;
    let (state, background) =
        AppState::start_with(&config, Some(sources), Clock::system()).unwrap();
    let Serving { reloader, slot, .. } = state.serving;
    Looked { dir, reloader, slot, background }
}

impl Looked {
    fn look(&self, trigger: Trigger) -> Result<[Outcome; 2], String> {
        let reloaded = self.reloader.reload(trigger).map_err(|error| chain(&error))?;
        Ok([reloaded.router, reloaded.config])
    }

    fn digest(&self) -> Digest {
        self.slot.current().unwrap().router.digest().clone()
    }
}

#[tokio::test]
async fn a_refused_router_is_left_alone_until_its_files_change() {
    let looked = looked();
    let a = looked.digest();
    let model = looked.dir.path().join("b/model.safetensors");
    let sound = fs::read(&model).unwrap();
    let write = |bytes: &[u8], at| {
        fs::write(&model, bytes).unwrap();
        File::options().append(true).open(&model).unwrap().set_modified(at).unwrap();
    };
    let then = UNIX_EPOCH + Duration::from_hours(400_000);
    let broken = vec![b'x'; sound.len()];
    write(&broken, then);
    point_to(looked.dir.path(), "b");
    let error = looked.look(Trigger::Poll).unwrap_err();
    assert!(error.contains("was changed after training"), "{error}");

    // From outside nothing has changed, so it is not looked into.
    write(&sound, then);
    assert_eq!(looked.look(Trigger::Poll).unwrap_err(), error);
    assert_eq!(looked.digest(), a);
    // Who asks knows better.
    assert_eq!(looked.look(Trigger::Asked).unwrap(), [Outcome::Ok, Outcome::Unchanged]);

    looked.reloader.rollback().unwrap();
    write(&broken, then);
    looked.look(Trigger::Asked).unwrap_err();
    looked.look(Trigger::Poll).unwrap_err();
    write(&sound, then + Duration::from_secs(1));
    assert_eq!(looked.look(Trigger::Poll).unwrap(), [Outcome::Ok, Outcome::Unchanged]);
    assert_ne!(looked.digest(), a);
    looked.background.finish().await.unwrap();
}

#[tokio::test]
async fn a_signal_during_a_look_waits_and_what_can_be_asked_again_does_not() {
    let looked = looked();
    let a = looked.digest();
    point_to(looked.dir.path(), "b");
    let look_under_way = looked.reloader.0.state.lock().unwrap();
    let reloader = looked.reloader.clone();
    let signal = thread::spawn(move || reloader.reload_in_turn().map(|done| done.router));
    for refused in [looked.look(Trigger::Asked).map(|_| ()), {
        looked.reloader.rollback().map_err(|error| chain(&error))
    }] {
        let busy = "another reload is running; hint: ask again in a moment";
        assert_eq!(refused.unwrap_err(), busy);
    }
    assert_eq!((looked.digest(), signal.is_finished()), (a.clone(), false));
    drop(look_under_way);
    assert_eq!(signal.join().unwrap().unwrap(), Outcome::Ok);
    assert_ne!(looked.digest(), a);
    looked.background.finish().await.unwrap();
}

#[tokio::test]
async fn the_clock_believes_settings_that_it_saw_twice() {
    let looked = looked();
    let dir = looked.dir.path();
    let facts = |text: &str| {
        settings(dir, text);
        let found = looked.look(Trigger::Poll).map(|[_, config]| config).map_err(|_| ());
        let state = looked.reloader.0.state.lock().unwrap();
        let known = !looked.slot.current().unwrap().is_made_with(&state.started);
        (found, known)
    };
    let whole = "candidates.small.vision = false\ncandidates.large.vision = true\n";
    // A file that is being written: half of it is as good TOML as the whole, or none at all.
    assert_eq!(facts("candidates.small.vision = false\n"), (Ok(Outcome::Unchanged), false));
    assert_eq!(facts("candidates.small.vision = false\ncandidates.la"), (Err(()), false));
    assert_eq!(facts("candidates.small.vision = false\n"), (Ok(Outcome::Unchanged), false));
    assert_eq!(facts(whole), (Ok(Outcome::Unchanged), false));
    assert_eq!(facts(whole), (Ok(Outcome::Ok), true));
    assert_eq!(facts(whole), (Ok(Outcome::Unchanged), true));
    looked.background.finish().await.unwrap();
}
