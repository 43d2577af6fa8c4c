// What one measured process found, as it crosses from the child to `bench` and into `--json`.

/// Figures of one process.
package struct BenchmarkFigures: Codable, Sendable {
    /// Rows (from a topic: records) that came in.
    package var events: Int64
    /// Wall clock from the start of the pipeline to its end, s.
    package var seconds: Double
    /// User and system time of the process over that span, s.
    package var cpuSeconds: Double
    /// VmHWM: the most memory that was resident at once, bytes.
    package var peakMemoryBytes: Int64
    package var outputRows: Int64 = 0
    package var checkpoints: Int = 0
    /// Bytes that all checkpoints wrote together.
    package var checkpointBytes: Int64 = 0
    /// Bytes of the events' values, where they have bytes.
    package var valueBytes: Int64 = 0

    package init(events: Int64, seconds: Double, cpuSeconds: Double, peakMemoryBytes: Int64) {
        self.events = events
        self.seconds = seconds
        self.cpuSeconds = cpuSeconds
        self.peakMemoryBytes = peakMemoryBytes
    }

    package var nanosecondsPerEvent: Double { cpuSeconds * 1e9 / Double(max(events, 1)) }
}

/// A query's row of the report.
package struct BenchmarkRow: Sendable {
    package let query: String
    package let figures: BenchmarkFigures
    /// CPU that making the events takes alone, s; 0 from a topic.
    package let generatorSeconds: Double

    package init(query: String, figures: BenchmarkFigures, generatorSeconds: Double) {
        self.query = query
        self.figures = figures
        self.generatorSeconds = generatorSeconds
    }

    /// CPU without the generator's, s.
    package var engineSeconds: Double { max(figures.cpuSeconds - generatorSeconds, 0) }
    package var eventsPerSecond: Double { Double(figures.events) / max(figures.seconds, 1e-9) }
    package var eventsPerCPUSecond: Double { Double(figures.events) / max(engineSeconds, 1e-9) }
    package var nanosecondsPerEvent: Double { engineSeconds * 1e9 / Double(max(figures.events, 1)) }
}
