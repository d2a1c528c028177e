//! The health of an NVMe disk: log page 02h of the NVMe Base Specification, "SMART / Health Information".

use crate::schema::GuestNVMeSmart;

/// Makes figures of the log; nothing if it is too short.
pub fn health(log: &[u8]) -> Option<GuestNVMeSmart> {
    let byte = |at: usize| log.get(at).map(|byte| i64::from(*byte));
    let half = |at: usize| Some(u64::from_le_bytes(*log.get(at..)?.first_chunk()?));
    Some(GuestNVMeSmart {
        critical_warning: byte(0)?,
        temperature: byte(1)? | byte(2)? << 8,
        available_spare: byte(3)?,
        available_spare_threshold: byte(4)?,
        percentage_used: byte(5)?,
        data_units_read_lo: half(32)?,
        data_units_read_hi: half(40)?,
        data_units_written_lo: half(48)?,
        data_units_written_hi: half(56)?,
        host_read_commands_lo: half(64)?,
        host_read_commands_hi: half(72)?,
        host_write_commands_lo: half(80)?,
        host_write_commands_hi: half(88)?,
        controller_busy_time_lo: half(96)?,
        controller_busy_time_hi: half(104)?,
        power_cycles_lo: half(112)?,
        power_cycles_hi: half(120)?,
        power_on_hours_lo: half(128)?,
        power_on_hours_hi: half(136)?,
        unsafe_shutdowns_lo: half(144)?,
        unsafe_shutdowns_hi: half(152)?,
        media_errors_lo: half(160)?,
        media_errors_hi: half(168)?,
        number_of_error_log_entries_lo: half(176)?,
        number_of_error_log_entries_hi: half(184)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_module::IntoReturn;

    #[test]
    fn each_figure_has_its_place() {
        let mut log = vec![0; 512];
        log[..6].copy_from_slice(&[0x1F, 0x43, 0x01, 100, 10, 255]);
        for (index, counter) in log[32..192].chunks_mut(8).enumerate() {
            counter[0] = index as u8 + 1;
            counter[7] = 0x80;
        }
        let told = health(&log).unwrap();
        assert_eq!((told.critical_warning, told.temperature, told.percentage_used), (0x1F, 323, 255));
        assert_eq!((told.available_spare, told.available_spare_threshold), (100, 10));
        // The schema has the counters in the order of the log.
        let text = told.into_return();
        let places: Vec<_> = (1..=20).map(|index| text.find(&format!(": {}", (1_u64 << 63) + index))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    }

    #[test]
    fn a_log_that_is_too_short_tells_nothing() {
        for length in 0..192 {
            assert!(health(&vec![0xFF; length]).is_none(), "{length}");
        }
        assert!(health(&[0xFF; 192]).is_some());
    }
}
