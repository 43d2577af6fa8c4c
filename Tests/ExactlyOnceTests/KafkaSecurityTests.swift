// TLS and SASL by what `"kafka.*"` passes through; and the password stands nowhere.

import Foundation
import KafkaIO
import PythonSupport
import Testing

extension ExactlyOnceTests {
    @Suite(.serialized, .enabled(if: OwnBroker.isWanted, "needs KAFKA_HOME"))
    struct KafkaSecurityTests {
        private static let password = "pw-7Qx-Zt9-secret"

        /// The topology reads the password from the environment, as people should.
        private func topology(_ fixture: KafkaFixture, _ broker: OwnBroker) -> String {
            let security = """
                bootstrap_servers = '\(broker.secureServers)',
                "kafka.security.protocol" = 'SASL_SSL', "kafka.sasl.mechanism" = 'PLAIN',
                "kafka.sasl.username" = 'alice', "kafka.sasl.password" = '${KAFKA_PASSWORD}',
                "kafka.ssl.ca.location" = '\(broker.authority)'
                """
            return """
                SET checkpoint_interval = '100 milliseconds';
                CREATE TABLE numbers (n bigint NOT NULL) USING kafka WITH (
                    topic = '\(fixture.topic("in"))', format = 'json', on_error = 'dead_letter',
                    dead_letter_topic = '\(fixture.topic("dead"))', \(security)
                );
                CREATE MATERIALIZED VIEW copies USING kafka WITH (
                    topic = '\(fixture.topic("out"))', \(security)
                ) AS SELECT n FROM numbers;
                """
        }

        private func run(
            _ fixture: KafkaFixture, password: String, _ more: [String] = []
        ) throws -> Ending {
            try fixture.start(
                ["--available-now", "--log-level", "debug"] + more,
                variables: ["KAFKA_PASSWORD": password]
            ).end(within: 60)
        }

        @Test func tlsAndSASLThroughThePassThroughAndThePasswordStandsNowhere() throws {
            let broker = try OwnBroker(users: ["alice": KafkaSecurityTests.password])
            let fixture = try KafkaFixture(servers: broker.servers)
            try topology(fixture, broker).write(
                toFile: fixture.folder.path("t.sql"), atomically: true, encoding: .utf8)
            try fixture.send(0..<10)
            try fixture.send(["poison"], to: "in")

            // A wrong password and a certificate that nobody knows are said as what they are.
            let wrong = try run(fixture, password: "wrong-" + KafkaSecurityTests.password, ["--fail-fast"])
            #expect(wrong.status == 1, "\(wrong)")
            #expect(wrong.errors.contains("Authentication failed"), "\(wrong)")
            #expect(wrong.errors.contains("kafka.sasl"), "\(wrong)")
            let text = topology(fixture, broker).replacing(
                "\"kafka.ssl.ca.location\" = '\(broker.authority)'",
                with: "\"kafka.client.id\" = 'x'")
            try text.write(toFile: fixture.folder.path("t.sql"), atomically: true, encoding: .utf8)
            let unknown = try run(
                fixture, password: KafkaSecurityTests.password, ["--fail-fast"])
            #expect(unknown.status == 1, "\(unknown)")
            #expect(unknown.errors.contains("certificate"), "\(unknown)")
            try topology(fixture, broker).write(
                toFile: fixture.folder.path("t.sql"), atomically: true, encoding: .utf8)

            let ending = try run(fixture, password: KafkaSecurityTests.password)
            try #require(ending.status == 0, "\(ending)")
            #expect(try fixture.settled().sorted() == KafkaFixture.text(0..<10).sorted())
            #expect(try fixture.settled("dead") == ["poison"])

            var texts = [wrong.errors, wrong.output, unknown.errors, ending.errors, ending.output]
            for arguments in [
                ["validate", "t.sql"], ["explain", "t.sql"],
                ["explain", "t.sql", "--format", "json"],
                ["explain", "t.sql", "--format", "mermaid"],
                ["checkpoint", "list", "--state", "state"],
                ["checkpoint", "list", "--state", "state", "--json"],
            ] {
                let told = try RunningCommand(
                    arguments, in: fixture.folder.url,
                    variables: ["KAFKA_PASSWORD": KafkaSecurityTests.password]
                ).end()
                try #require(told.status == 0, "\(arguments): \(told)")
                texts += [told.output, told.errors]
            }
            for text in texts { #expect(!text.contains(KafkaSecurityTests.password), "\(text)") }
            let files = try filesBelow(fixture.folder.url)
            // The state directory is among them, and not empty.
            #expect(files.contains { $0.path.contains("/state/") && $0.path.hasSuffix(".log") })
            for file in files {
                let bytes = try Data(contentsOf: file)
                #expect(
                    bytes.range(of: Data(KafkaSecurityTests.password.utf8)) == nil, "\(file.path)")
            }
        }

        private func filesBelow(_ folder: URL) throws -> [URL] {
            let all = FileManager.default.enumerator(
                at: folder, includingPropertiesForKeys: [.isRegularFileKey])
            let urls = (all?.allObjects ?? []).compactMap { $0 as? URL }
            return try urls.filter {
                try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
            }
        }
    }
}
