// Functions on dates, times and intervals.

import Types

extension FunctionTable {
    static let time: [Function] =
        dateOperators + timestampOperators + intervalOperators + fields + ages + makings + zones
        + formats

    private static let dateOperators: [Function] = [
        .plain(
            "+", [.date, .integer], .date, canFail: true,
            "A day so many days later. `date '2026-01-31' + 1` is 2026-02-01.",
            TimeFunctions.shiftDays(count: 1)),
        .plain(
            "+", [.integer, .date], .date, canFail: true, "A day so many days later.",
            TimeFunctions.shiftDays(count: 0)),
        .plain(
            "-", [.date, .integer], .date, canFail: true, "A day so many days earlier.",
            TimeFunctions.shiftDays(count: 1, isNegative: true)),
        .plain(
            "-", [.date, .date], .integer, canFail: true,
            "Days between. `date '2026-03-01' - date '2026-02-01'` is 28.",
            TimeFunctions.dayDifference),
        .plain(
            "+", [.date, .time], .timestamp, canFail: true,
            "A date at a time of day. `date '2026-01-01' + time '12:00'` is 2026-01-01 12:00:00.",
            TimeFunctions.dateAndTime(date: 0)),
        .plain(
            "+", [.time, .date], .timestamp, canFail: true, "A date at a time of day.",
            TimeFunctions.dateAndTime(date: 1)),
    ]

    private static let timestampOperators: [Function] =
        [
            (LogicalType.timestamp, LogicalType.timestamp), (.timestamptz, .timestamptz),
            (.date, .timestamp),
        ].flatMap { type, result -> [Function] in
            [
                .plain(
                    "+", [type, .interval], result, canFail: true,
                    "Later by an interval, a month's end kept inside the month. "
                        + "`timestamp '2026-01-31' + interval '1 month'` is 2026-02-28.",
                    TimeFunctions.shift(interval: 1)),
                .plain(
                    "+", [.interval, type], result, canFail: true, "Later by an interval.",
                    TimeFunctions.shift(interval: 0)),
                .plain(
                    "-", [type, .interval], result, canFail: true, "Earlier by an interval.",
                    TimeFunctions.shift(interval: 1, isNegative: true)),
            ]
        }
        + [LogicalType.timestamp, .timestamptz].map { type in
            .plain(
                "-", [type, type], .interval, canFail: true, "Days and time between two times.",
                TimeFunctions.difference)
        } + [
            .plain(
                "+", [.time, .interval], .time, "Later, around the clock.",
                TimeFunctions.shiftTime(interval: 1)),
            .plain(
                "+", [.interval, .time], .time, "Later, around the clock.",
                TimeFunctions.shiftTime(interval: 0)),
            .plain(
                "-", [.time, .interval], .time, "Earlier, around the clock.",
                TimeFunctions.shiftTime(interval: 1, isNegative: true)),
            .plain(
                "-", [.time, .time], .interval, "Time between two times of day.",
                TimeFunctions.timeDifference),
        ]

    private static let intervalOperators: [Function] = [
        .plain(
            "+", [.interval, .interval], .interval, canFail: true, "Sum, part by part.",
            TimeFunctions.intervalSum(isNegative: false)),
        .plain(
            "-", [.interval, .interval], .interval, canFail: true, "Difference, part by part.",
            TimeFunctions.intervalSum(isNegative: true)),
        .plain(
            "-", [.interval], .interval, canFail: true, "The interval backwards.",
            TimeFunctions.interval(\.negated)),
        .plain(
            "*", [.interval, .double], .interval, canFail: true,
            "So many times an interval. `interval '1 day' * 1.5` is 1 day 12:00:00.",
            TimeFunctions.scale(interval: 0)),
        .plain(
            "*", [.double, .interval], .interval, canFail: true, "So many times an interval.",
            TimeFunctions.scale(interval: 1)),
        .plain(
            "/", [.interval, .double], .interval, canFail: true,
            "A part of an interval. `interval '1 day' / 2` is 12:00:00.",
            TimeFunctions.scale(interval: 0, divides: true)),
        .plain(
            "justify_hours", [.interval], .interval, canFail: true,
            "24 hours become a day. `justify_hours('27 hours')` is 1 day 03:00:00.",
            TimeFunctions.interval(\.justifyingHours)),
        .plain(
            "justify_days", [.interval], .interval, canFail: true,
            "30 days become a month. `justify_days('35 days')` is 1 mon 5 days.",
            TimeFunctions.interval(\.justifyingDays)),
        .plain(
            "justify_interval", [.interval], .interval, canFail: true,
            "Both, with one sign. `justify_interval('1 mon -1 hour')` is 29 days 23:00:00.",
            TimeFunctions.interval(\.justified)),
    ]

    private static let sources: [LogicalType] = [.timestamp, .timestamptz, .date, .time, .interval]

    private static let fields: [Function] =
        sources.map { type in
            Function(
                "extract", [.exactly(.text), .exactly(type)], canFail: true,
                summary: "A field of a time, exact. "
                    + "`extract(hour from timestamp '2026-01-01 12:34')` is 12.",
                resultType: TimeFunctions.extractType, kernel: TimeFunctions.extract)
        }
        + sources.map { type in
            .plain(
                "date_part", [.text, type], .double, canFail: true,
                "A field of a time as double. `date_part('hour', time '12:34')` is 12.",
                TimeFunctions.datePart)
        }
        + [LogicalType.timestamptz, .timestamp].map { type in
            .plain(
                "date_trunc", [.text, type], type, canFail: true,
                "The start of the hour, day, week … that a time lies in. "
                    + "`date_trunc('hour', timestamp '2026-01-01 12:34')` is 2026-01-01 12:00:00.",
                TimeFunctions.truncate)
        } + [
            .plain(
                "date_trunc", [.text, .timestamptz, .text], .timestamptz, canFail: true,
                "The same by the clock of a time zone.", TimeFunctions.truncate),
            .plain(
                "date_trunc", [.text, .interval], .interval, canFail: true,
                "An interval without the parts below a field.", TimeFunctions.truncateInterval),
        ]
        + [LogicalType.timestamptz, .timestamp].map { type in
            .plain(
                "date_bin", [.interval, type, type], type, canFail: true,
                "The start of the bin of a width, counted from an origin, that a time lies in.",
                TimeFunctions.bin)
        }
        + [LogicalType.date, .timestamp, .timestamptz, .interval].map { type in
            .plain(
                "isfinite", [type], .boolean, "Whether a time is not infinite.",
                TimeMaking.isFinite)
        }

    private static let ages: [Function] = [LogicalType.timestamptz, .timestamp].map { type in
        .plain(
            "age", [type, type], .interval, canFail: true,
            "Years, months and days between two times, by the calendar.", TimeFunctions.age)
    }

    private static let intervalParts: [LogicalType] =
        Array(repeating: .integer, count: 6) + [.double]

    private static let makings: [Function] =
        [
            .plain(
                "make_date", [.integer, .integer, .integer], .date, canFail: true,
                "A date of year, month, day. `make_date(2026, 7, 15)` is 2026-07-15.",
                TimeMaking.date),
            .plain(
                "make_time", [.integer, .integer, .double], .time, canFail: true,
                "A time of hour, minute, seconds. `make_time(8, 15, 23.5)` is 08:15:23.5.",
                TimeMaking.time),
            .plain(
                "make_timestamp", Array(repeating: .integer, count: 5) + [.double], .timestamp,
                canFail: true, "A timestamp of year, month, day, hour, minute, seconds.",
                TimeMaking.timestamp),
            .plain(
                "make_timestamptz", Array(repeating: .integer, count: 5) + [.double],
                .timestamptz, canFail: true,
                "A timestamptz of year, month, day, hour, minute, seconds in UTC.",
                TimeMaking.timestamp),
            .plain(
                "make_timestamptz", Array(repeating: .integer, count: 5) + [.double, .text],
                .timestamptz, canFail: true, "The same by the clock of a time zone.",
                TimeMaking.timestamp),
            .plain(
                "to_timestamp", [.double], .timestamptz, canFail: true,
                "The time so many seconds after 1970-01-01. "
                    + "`to_timestamp(1e9)` is 2001-09-09 01:46:40+00.",
                TimeMaking.fromEpoch),
        ]
        + (1...7).map { count in
            .plain(
                "make_interval", Array(intervalParts.prefix(count)), .interval, canFail: true,
                "An interval of years, months, weeks, days, hours, minutes, seconds.",
                TimeMaking.interval)
        }

    private static let zones: [Function] =
        [(LogicalType.timestamptz, LogicalType.timestamp), (.timestamp, .timestamptz)].flatMap {
            source, result -> [Function] in
            [
                .plain(
                    "timezone", [.text, source], result, canFail: true,
                    "`time AT TIME ZONE zone`: a timestamptz by the zone's clock, or a timestamp "
                        + "of that clock as timestamptz.",
                    TimeFunctions.atTimeZone),
                .plain(
                    "timezone", [.interval, source], result, canFail: true,
                    "The same with the zone's distance from UTC.", TimeFunctions.atOffset),
            ]
        }

    private static let formats: [Function] =
        [LogicalType.timestamptz, .timestamp, .interval].map { type in
            .plain(
                "to_char", [type, .text], .text, canFail: true,
                "A time by a pattern. "
                    + "`to_char(timestamp '2026-01-01 12:34', 'DD.MM.YYYY')` is 01.01.2026.",
                ToChar.time)
        }
        + [Parameter.exactly(.integer), .exactly(.bigint), .anyNumeric, .exactly(.double)].map {
            parameter in
            Function(
                "to_char", [parameter, .exactly(.text)], canFail: true,
                summary: "A number by a pattern. `to_char(-12.5, '999D99')` is ' -12.50'.",
                resultType: { _ in .text }, kernel: ToChar.number)
        } + [
            .plain(
                "to_timestamp", [.text, .text], .timestamptz, canFail: true,
                "A text read by a pattern. "
                    + "`to_timestamp('05 Dec 2000', 'DD Mon YYYY')` is 2000-12-05 00:00:00+00.",
                FromChar.timestamp),
            .plain(
                "to_date", [.text, .text], .date, canFail: true,
                "A text read by a pattern as a date.", FromChar.date),
        ]
}
