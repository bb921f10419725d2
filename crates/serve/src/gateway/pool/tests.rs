//! Pools against simulated instances, by a simulated clock.

use proptest::prelude::*;

use super::*;

const MS: Duration = Duration::from_millis(1);

fn member() -> Member {
    Member { weight: 1, quota: Arc::new(Quota::new(&QuotaConfig::default())) }
}

fn pool(instances: usize, balance: Balance) -> Arc<Pool> {
    let members = (0..instances).map(|_| member()).collect();
    Arc::new(Pool::new(members, balance, &BreakerConfig::default()))
}

/// A sequence of numbers that look random (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A request each millisecond to instances that take so long or fail (`None`); how many each got.
fn simulate(
    pool: &Arc<Pool>,
    random: &mut Random,
    (start, requests): (Instant, u32),
    takes: &dyn Fn(usize) -> Option<Duration>,
) -> Vec<u32> {
    let mut got = vec![0; pool.members.len()];
    let mut under_way: Vec<(Instant, Ticket, bool)> = Vec::new();
    for n in 0..requests {
        let now = start + MS * n;
        let (done, rest) = under_way.into_iter().partition(|(end, ..)| *end <= now);
        under_way = rest;
        for (end, ticket, ok) in done {
            let answered = Ending::Answered { input_tokens: None, output_tokens: None };
            ticket.done(end, if ok { answered } else { Ending::Failed });
        }
        let ticket = pool.pick(&Tried::default(), 1, now, random.next()).unwrap();
        got[ticket.instance()] += 1;
        let time = takes(ticket.instance());
        under_way.push((now + time.unwrap_or(MS), ticket, time.is_some()));
    }
    got
}

#[test]
fn a_slow_instance_gets_less_until_it_is_quick_again() {
    let (pool, mut random, start) = (pool(3, Balance::PeakEwma), Random(1), Instant::now());
    let slow = |i: usize| Some(if i == 0 { 500 * MS } else { 20 * MS });
    let got = simulate(&pool, &mut random, (start, 3000), &slow);
    assert!(got[0] < 300, "{got:?}");
    let same = |_| Some(20 * MS);
    let later = start + 60_000 * MS;
    let got = simulate(&pool, &mut random, (later, 30_000), &same);
    assert!(got[0] > 7000, "{got:?}");
}

#[test]
fn a_dead_instance_gets_probes_and_comes_back() {
    for balance in [Balance::PeakEwma, Balance::RoundRobin, Balance::Weighted] {
        let (pool, mut random, start) = (pool(3, balance), Random(2), Instant::now());
        let dead = |i: usize| (i != 1).then_some(10 * MS);
        let got = simulate(&pool, &mut random, (start, 1000), &dead);
        assert!((5..20).contains(&got[1]), "{got:?}");
        // The breaker opens for 5, 10 and 20 seconds.
        let got = simulate(&pool, &mut random, (start + 1000 * MS, 30_000), &dead);
        assert!((2..=4).contains(&got[1]), "{got:?}");
        let same = |_| Some(10 * MS);
        simulate(&pool, &mut random, (start + 31_000 * MS, 60_000), &same);
        let got = simulate(&pool, &mut random, (start + 91_000 * MS, 3000), &same);
        assert!(got[1] > 700, "{got:?}");
    }
}

#[test]
fn round_robin_and_least_in_flight_are_even_and_weights_count() {
    let start = Instant::now();
    let takes = |_| Some(7 * MS);
    for balance in [Balance::RoundRobin, Balance::LeastInFlight] {
        let got = simulate(&pool(4, balance), &mut Random(3), (start, 4000), &takes);
        assert!(got.iter().all(|n| (900..1100).contains(n)), "{got:?}");
    }
    let members = [1, 3].map(|weight| Member { weight, ..member() });
    let pool = Pool::new(members.into(), Balance::Weighted, &BreakerConfig::default());
    let got = simulate(&Arc::new(pool), &mut Random(4), (start, 4000), &takes);
    assert!((900..1100).contains(&got[0]), "{got:?}");
}

#[test]
fn where_all_are_open_the_first_to_come_back_is_tried() {
    let (pool, now) = (pool(2, Balance::RoundRobin), Instant::now());
    for instance in 0..2_u32 {
        for _ in 0..10 {
            let ticket = pool.pick(&Tried(vec![1 - instance as usize]), 1, now, 0).unwrap();
            ticket.done(now + MS * instance, Ending::Failed);
        }
    }
    assert!(!pool.is_available(now));
    let ticket = pool.pick(&Tried::default(), 1, now, 0).unwrap();
    assert_eq!(ticket.instance(), 0);
    ticket.done(now, Ending::Answered { input_tokens: Some(1), output_tokens: Some(1) });
    let ticket = pool.pick(&Tried::default(), 1, now, 0).unwrap();
    assert_eq!(ticket.instance(), 0);
    assert!(pool.is_available(now));
}

#[test]
fn a_full_upstream_is_passed_over_and_told_of() {
    let full = QuotaConfig { in_flight: Some(1), ..QuotaConfig::default() };
    let quota = Arc::new(Quota::new(&full));
    let members =
        vec![Member { weight: 1, quota: Arc::clone(&quota) }, Member { weight: 1, quota }];
    let pool = Arc::new(Pool::new(members, Balance::RoundRobin, &BreakerConfig::default()));
    let now = Instant::now();
    let first = pool.pick(&Tried::default(), 1, now, 0).unwrap();
    let none = pool.pick(&Tried::default(), 1, now, 0).unwrap_err();
    assert_eq!(none, NoInstance::Quota { retry_after: Duration::from_secs(1) });
    drop(first);
    pool.pick(&Tried::default(), 1, now, 0).unwrap();
}

proptest! {
    #[test]
    fn places_are_given_back_and_nothing_is_tried_twice(
        balance in prop_oneof![
            Just(Balance::RoundRobin), Just(Balance::Weighted),
            Just(Balance::LeastInFlight), Just(Balance::PeakEwma)],
        instances in 1_usize..6,
        endings in proptest::collection::vec((0_u8..6, any::<u64>(), 0_u32..2000), 1..80),
    ) {
        let (pool, mut now) = (pool(instances, balance), Instant::now());
        let mut tried = Tried::default();
        for (ending, random, pause) in endings {
            now += MS * pause;
            let ticket = match pool.pick(&tried, 1, now, random) {
                Ok(ticket) => ticket,
                Err(none) => {
                    prop_assert_eq!(none, NoInstance::Tried);
                    prop_assert_eq!(tried.0.len(), instances);
                    tried = Tried::default();
                    continue;
                }
            };
            prop_assert!(!tried.0.contains(&ticket.instance()));
            tried.add(ticket.instance());
            let how = match ending {
                0 => Ending::Answered { input_tokens: Some(1), output_tokens: None },
                1 => Ending::Refused,
                2 => Ending::RateLimited { retry_after: None },
                3 => Ending::Failed,
                4 => Ending::Abandoned,
                _ => {
                    drop(ticket);
                    continue;
                }
            };
            ticket.done(now, how);
        }
        for instance in 0..instances {
            prop_assert_eq!(pool.live(instance, now).in_flight, 0);
        }
    }
}
