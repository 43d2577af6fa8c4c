import Contracts
import Testing

@Suite struct ContractsTests {
    @Test(arguments: [
        ("topc", "topic"), ("wartermark_delay", "watermark_delay"), ("fromat", "format"),
    ])
    func aSlipFindsItsName(typed: String, meant: String) {
        let known = ["topic", "format", "watermark_delay", "bootstrap_servers"]
        #expect(nearestName(to: typed, among: known) == meant)
    }

    @Test func anotherWordFindsNothing() {
        #expect(nearestName(to: "parallelism", among: ["topic", "format"]) == nil)
    }

    @Test func recordsComeBackAndDamageIsSaid() throws {
        var writer = RecordWriter()
        writer.signed(-7)
        writer.optional(nil)
        writer.optional([1, 2])
        writer.fixed64(.max)
        var reader = RecordReader(writer.bytes, subject: "test")
        #expect(try reader.signed() == -7)
        #expect(try reader.optional() == nil)
        #expect(try reader.optional() == [1, 2])
        #expect(try reader.fixed64() == .max)
        #expect(reader.isAtEnd)
        let failure = #expect(throws: Failure.self) { _ = try reader.byte() }
        #expect(failure?.code == "state.damaged")
    }
}
