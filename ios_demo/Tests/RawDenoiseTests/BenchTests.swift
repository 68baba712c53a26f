import XCTest

@testable import RawDenoise

final class BenchTests: XCTestCase {
  func testStatisticsAreThoseOfThePythonReports() {
    let samples = [9.0, 1, 4, 2, 7, 3]
    XCTAssertEqual(Statistics.median(samples), 3.5)
    XCTAssertEqual(Statistics.p90(samples), 8)
    XCTAssertEqual(Statistics.median([5]), 5)
    XCTAssertEqual(Statistics.p90([5]), 5)
  }

  func testABurstHasItsRounds() throws {
    let engine = FakeEngine()
    let settings = BenchmarkSettings(kind: .burst, rounds: 7, warmup: 2)
    let entry = try benchmark(settings).run(
      engine, rows: 96, columns: 96, load: 20, stop: StopSwitch(), progress: { _ in })
    XCTAssertEqual(engine.calls.count, 1 + 2 + 7)
    XCTAssertEqual(entry.timing?.samples.count, 7)
    XCTAssertEqual(entry.tiles, 1)
    XCTAssertNotNil(entry.start)
  }

  func testASustainedRunLastsItsSeconds() throws {
    let settings = BenchmarkSettings(kind: .sustained, seconds: 60)
    let entry = try benchmark(settings).run(
      FakeEngine(), rows: 96, columns: 96, load: nil, stop: StopSwitch(), progress: { _ in })
    let timing = try XCTUnwrap(entry.timing)
    XCTAssertGreaterThanOrEqual(timing.started.last!, 59)
    XCTAssertLessThan(timing.started.last!, 60)
    XCTAssertEqual(timing.started.count, timing.samples.count)
    XCTAssertNil(entry.start)
    XCTAssertNotNil(entry.missing["start"])
  }

  func testItCanBeStopped() throws {
    let stop = StopSwitch()
    stop.stop(.background)
    XCTAssertThrowsError(
      try benchmark(BenchmarkSettings(kind: .burst)).run(
        FakeEngine(), rows: 96, columns: 96, load: 20, stop: stop, progress: { _ in })
    ) { XCTAssertEqual($0 as? Stopped, Stopped(reason: .background)) }
  }

  /// The toolkit's tests read the stored report with the schema of `fa-mobile bench`.
  func testTheStoredReportIsWhatIsWritten() throws {
    let settings = BenchmarkSettings(kind: .burst, rounds: 3)
    let engine = FakeEngine()
    let entry = try benchmark(settings).run(
      engine, rows: 96, columns: 128, load: 20, stop: StopSwitch(), progress: { _ in })
    var device = PhoneDevice(
      maker: "Apple", model: "iPhone0,0", os: "iOS 18.0", cores: 6, flags: ["asimddp"],
      appVersion: "1.0", abi: "arm64")
    device.runtimes = [engine.runtime.name: engine.runtime.version]
    device.thermalStart = "nominal"
    device.thermalEnd = "fair"
    device.lowPowerMode = false
    let report = BenchmarkReport(device: device, settings: settings, entries: [entry])
    let stored = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../tests/data/ios-benchmark.json").standardizedFileURL
    let data = try report.json()
    if ProcessInfo.processInfo.environment["FA_MOBILE_UPDATE"] == "1" {
      try SafeFile.write(data, to: stored)
    }
    XCTAssertEqual(try masked(Data(contentsOf: stored)), try masked(data))
  }

  /// What belongs to the bundle that the tests were given.
  private func masked(_ data: Data) throws -> NSDictionary {
    var report = try XCTUnwrap(
      JSONSerialization.jsonObject(with: data) as? [String: Any])
    var entry = try XCTUnwrap((report["entries"] as? [[String: Any]])?.first)
    XCTAssertNotNil(entry["counts"] as? [String: Any])
    for name in ["bundle", "sums_sha256", "target", "precision", "counts", "missing"] {
      XCTAssertNotNil(entry.removeValue(forKey: name), name)
    }
    report["entries"] = [entry]
    return report as NSDictionary
  }

  /// Every reading of the clock is 125 ms later than the one before.
  private func benchmark(_ settings: BenchmarkSettings) -> Benchmark {
    var now = 0.0
    return Benchmark(
      bundle: bundle, settings: settings,
      milliseconds: {
        now += 125
        return now
      })
  }

  private var bundle: ModelBundle!

  override func setUpWithError() throws {
    bundle = try testBundle()
  }
}
