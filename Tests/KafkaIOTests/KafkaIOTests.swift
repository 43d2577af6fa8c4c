import Testing

@Suite struct KafkaIOTests {}
