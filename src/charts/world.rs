//! The map of the world: land of Natural Earth in the Equal Earth projection, and where places are on it.

/// The land as one path, in tenths of the map's units; made by `scripts/make-land`.
pub const LAND: &str = include_str!("../../data/land.txt");

/// What of the projection is shown, 84° N to 56° S: its upper edge, its width and its height.
pub const TOP: f64 = -242.0;
/// The width of the map.
pub const WIDTH: f64 = 1000.0;
/// The height of the map.
pub const HEIGHT: f64 = 433.0;

/// Where a place is on the map, from its left upper corner. Equal Earth [Šavrič, Patterson, Jenny 2018], middle 11° E.
pub fn place(latitude: f64, longitude: f64) -> (f64, f64) {
    const A: [f64; 4] = [1.340264, -0.081106, 0.000893, 0.003796];
    const SCALE: f64 = WIDTH / 5.4133;
    let east = (longitude - 11.0 + 180.0).rem_euclid(360.0) - 180.0;
    let m = 3f64.sqrt() / 2.0;
    let l = (m * latitude.to_radians().sin()).asin();
    let (l2, l6) = (l.powi(2), l.powi(6));
    let x = east.to_radians() * l.cos() / (m * (A[0] + 3.0 * A[1] * l2 + l6 * (7.0 * A[2] + 9.0 * A[3] * l2)));
    let y = l * (A[0] + A[1] * l2 + l6 * (A[2] + A[3] * l2));
    (WIDTH / 2.0 + SCALE * x, -SCALE * y - TOP)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What d3-geo, which made the land, answers for these places.
    #[test]
    fn places_are_where_the_land_is() {
        for (longitude, latitude, x, y) in [
            (129.0756, 35.1796, 798.98, -127.21),
            (2.1734, 41.3851, 478.46, -147.55),
            (-122.3, 47.6, 188.72, -166.83),
            (175.0, -41.0, 901.20, 146.32),
            (11.0, 84.0, 500.0, -241.39),
            (11.0, -56.0, 500.0, 190.72),
        ] {
            let (found_x, found_y) = place(latitude, longitude);
            assert!(
                (found_x - x).abs() < 0.02 && (found_y + TOP - y).abs() < 0.02,
                "{longitude} {latitude}: {found_x} {found_y}"
            );
        }
    }

    #[test]
    fn the_land_is_a_path_of_closed_rings() {
        let rings: Vec<&str> = LAND.lines().collect();
        assert!(rings.len() > 80 && rings.iter().all(|ring| ring.starts_with('m') && ring.ends_with('z')));
    }
}
