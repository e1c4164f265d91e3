//! Numbers as text that loses nothing: JSON has neither infinities nor not-a-number.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Hexadecimal digits of a number.
const DIGITS: usize = 8;

/// Numbers that are written as one text: the bits of each f32 as eight hexadecimal digits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Floats(pub Vec<f32>);

impl Serialize for Floats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = |x: &f32| {
            let bits = x.to_bits();
            (0..DIGITS).rev().map(move |i| bits >> (4 * i) & 15)
        };
        let text = self.0.iter().flat_map(digits).filter_map(|digit| char::from_digit(digit, 16));
        serializer.serialize_str(&text.collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Floats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() % DIGITS != 0 {
            let what = format!("{} hexadecimal digits, where each number has {DIGITS}", text.len());
            return Err(D::Error::custom(what));
        }
        let number = |digits: &[u8]| {
            let push = |bits: u32, digit: &u8| Some(bits << 4 | char::from(*digit).to_digit(16)?);
            digits.iter().try_fold(0, push).map(f32::from_bits)
        };
        let numbers: Option<Vec<f32>> = text.as_bytes().chunks(DIGITS).map(number).collect();
        numbers.map(Self).ok_or_else(|| D::Error::custom("a text that is not all hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Floats;

    #[test]
    fn every_bit_comes_back() {
        let numbers = Floats(vec![1.0, -0.0, f32::INFINITY, f32::from_bits(0x7fc0_0001), f32::MIN_POSITIVE / 4.0]);
        let json = serde_json::to_string(&numbers).unwrap();
        assert!(json.starts_with("\"3f800000800000007f800000"), "{json}");
        let back: Floats = serde_json::from_str(&json).unwrap();
        let bits = |floats: &Floats| floats.0.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&numbers));
    }

    #[test]
    fn other_texts_are_refused() {
        for wrong in ["\"3f80000\"", "\"3f80000g\"", "\"+f800000\"", "\"åååå\"", "1.0", "null"] {
            assert!(serde_json::from_str::<Floats>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::from_str::<Floats>("\"\"").unwrap(), Floats(Vec::new()));
    }
}
