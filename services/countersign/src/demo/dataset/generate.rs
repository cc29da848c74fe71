//! Made-up customers: plausible, and the same for the same seed on every machine.

use chrono::{Days, NaiveDate};
use fastrand::Rng;

use super::Customers;

const COUNTRIES: [&str; 8] = ["DE", "FR", "NL", "ES", "IT", "PL", "SE", "US"];
/// 2021-01-01 in days since 1970-01-01; people signed up within the five years from there.
const FIRST_SIGNUP: u64 = 18_628;
const SIGNUP_DAYS: u64 = 1_826;

/// Makes `rows` customers, of which the share `anomalous_share` (0 to 1; rounded to whole rows) carries
/// one of the faults that spoil real tables: an amount in cents, a refund booked as spend, a birth year
/// in place of an age, a bot's sessions, a value that is missing.
///
/// The same arguments always make the same table.
pub fn generate(seed: u64, rows: usize, anomalous_share: f64) -> Customers {
    let mut rng = Rng::with_seed(seed);
    let names = ["customer_id", "age", "monthly_spend", "sessions_per_week", "country", "signup_date"];
    let mut customers = Customers::named(names.map(str::to_owned).to_vec());
    let mut faults = (anomalous_share.clamp(0.0, 1.0) * rows as f64).round() as usize;
    for row in 0..rows {
        let mut age = format!("{:.0}", around(&mut rng, 45.0, 9.0));
        let mut spend = format!("{:.2}", around(&mut rng, 62.0, 14.0));
        let mut sessions = format!("{:.1}", around(&mut rng, 9.0, 2.0));
        let country = COUNTRIES[rng.u32(..COUNTRIES.len() as u32) as usize];
        let signup = NaiveDate::default() + Days::new(FIRST_SIGNUP + rng.u64(..SIGNUP_DAYS));
        // Selection sampling (Knuth, TAOCP 2, 3.4.2 S): exactly `faults` rows, each as likely.
        if rng.u64(..(rows - row) as u64) < faults as u64 {
            faults -= 1;
            match rng.u32(..20) {
                0..=6 => spend = format!("{:.0}.00", around(&mut rng, 6_200.0, 1_400.0)),
                7..=9 => spend = format!("-{:.2}", around(&mut rng, 240.0, 40.0)),
                10..=12 => age = format!("{}", rng.u32(1948..2004)),
                13..=15 => sessions = format!("{:.1}", around(&mut rng, 480.0, 90.0)),
                16..=18 => spend = String::new(),
                _ => age = String::new(),
            }
        }
        customers.push(&format!("C-{:06}", row + 1));
        for cell in [&age, &spend, &sessions, country, &signup.to_string()] {
            customers.push(cell);
        }
    }
    customers.find_numeric();
    customers
}

/// A near-normal number within three deviations of the mean: twelve uniform numbers summed
/// (Irwin–Hall), which needs no function that rounds differently on another machine.
fn around(rng: &mut Rng, mean: f64, deviation: f64) -> f64 {
    let unit: f64 = (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0;
    mean + deviation * unit.clamp(-3.0, 3.0)
}
