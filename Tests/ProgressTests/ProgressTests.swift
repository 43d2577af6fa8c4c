import Testing

@Suite struct ProgressTests {}
