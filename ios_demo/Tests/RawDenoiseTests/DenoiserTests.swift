import XCTest

@testable import RawDenoise

final class DenoiserTests: XCTestCase {
  private var manifest: Manifest!

  override func setUpWithError() throws {
    manifest = try testBundle().manifest
  }

  func testTheGainComesFromTheISO() throws {
    let engine = FakeEngine()
    let frame = try testFrame(rows: 64, columns: 64, iso: 800)
    _ = try FrameDenoiser(manifest: manifest, engine: engine).denoise(frame)
    XCTAssertEqual(engine.calls.map(\.scalars), [[8]])
  }

  func testTheGainGivenComesFirst() throws {
    let engine = FakeEngine()
    let frame = try testFrame(rows: 64, columns: 64, iso: nil)
    _ = try FrameDenoiser(manifest: manifest, engine: engine).denoise(frame, gain: 3)
    XCTAssertEqual(engine.calls.map(\.scalars), [[3]])
  }

  func testAMissingGainIsAMessage() throws {
    let frame = try testFrame(rows: 64, columns: 64, iso: nil)
    let denoiser = FrameDenoiser(manifest: manifest, engine: FakeEngine())
    let said = message { _ = try denoiser.denoise(frame) }
    XCTAssertTrue(said.contains("does not say its ISO"), said)
    XCTAssertTrue(said.contains("set the gain by hand"), said)
  }

  func testImpossibleGainsAreRefused() throws {
    let frame = try testFrame(rows: 64, columns: 64)
    let denoiser = FrameDenoiser(manifest: manifest, engine: FakeEngine())
    for gain: Float in [0, -1, .nan, .infinity] {
      let said = message { _ = try denoiser.denoise(frame, gain: gain) }
      XCTAssertTrue(said.contains("finite numbers above 0"), said)
    }
  }

  func testGainsBeyondTheProfileAreServedWithAWarning() throws {
    XCTAssertNil(GainAdvice.warning(for: 16, profile: manifest.sensor))
    XCTAssertNotNil(GainAdvice.warning(for: 100, profile: manifest.sensor))
    XCTAssertNotNil(GainAdvice.warning(for: 0.5, profile: manifest.sensor))
  }

  func testOtherLevelsAreScaledAndBack() throws {
    let frame = try testFrame(
      rows: 33, columns: 65, cfa: .gbrg, black: [528, 529, 530, 531], white: 4095)
    var seen: [Float] = []
    let engine = FakeEngine { raw, _, _, _ in
      seen += raw
      return raw
    }
    let result = try FrameDenoiser(manifest: manifest, engine: engine).denoise(frame, gain: 2)
    XCTAssertEqual(result.mosaic, frame.mosaic)
    XCTAssertEqual(result.blackLevel, frame.blackLevel)
    XCTAssertLessThanOrEqual(seen.max()!, 1023)
    XCTAssertNotNil(GainAdvice.foreignSensor(frame, profile: manifest.sensor))
  }

  func testResultsBeyondTheLevelsAreClipped() throws {
    let frame = try testFrame(rows: 64, columns: 64)
    let wild = FakeEngine { raw, _, _, _ in raw.indices.map { $0 % 2 == 0 ? -1e30 : 1e30 } }
    let result = try FrameDenoiser(manifest: manifest, engine: wild).denoise(frame)
    XCTAssertEqual(Set(result.mosaic.samples), [0, 1023])
  }

  func testResultsThatAreNoNumbersAreAMessage() throws {
    let frame = try testFrame(rows: 64, columns: 64)
    for value: Float in [.nan, .infinity] {
      let broken = FakeEngine { raw, _, _, _ in raw.map { _ in value } }
      let denoiser = FrameDenoiser(manifest: manifest, engine: broken)
      XCTAssertTrue(message { _ = try denoiser.denoise(frame) }.contains("no numbers"))
    }
  }

  func testAModelOfAnotherSizeIsAMessage() throws {
    let frame = try testFrame(rows: 64, columns: 64)
    let short = FakeEngine { raw, _, _, _ in Array(raw.dropLast()) }
    let denoiser = FrameDenoiser(manifest: manifest, engine: short)
    let said = message { _ = try denoiser.denoise(frame) }
    XCTAssertTrue(said.contains("the bundle and its model do not fit"), said)
  }

  func testImpossibleFramesAreMessages() {
    XCTAssertTrue(
      message { _ = try Mosaic(rows: 3, columns: 2, samples: [UInt16](repeating: 0, count: 5)) }
        .contains("3 x 2 with 5 samples"))
    XCTAssertTrue(message { _ = try testFrame(rows: 1, columns: 8) }.contains("at least 2 x 2"))
    XCTAssertTrue(
      message { _ = try testFrame(rows: 2, columns: 2, black: [64, 64, 64, 2000]) }
        .contains("0 <= black < white"))
    XCTAssertTrue(
      message { _ = try testFrame(rows: 2, columns: 2, black: [64]) }.contains("four black levels"))
    for name in ["XTRANS", "", "RGBG", "Quad-Bayer"] {
      let said = message { _ = try BayerPattern(named: name) }
      XCTAssertTrue(said.contains("RGGB, GRBG, GBRG, BGGR"), said)
    }
  }
}

final class JobTests: XCTestCase {
  func testProgressAndResult() throws {
    let manifest = try testBundle().manifest
    let job = DenoiseJob(denoiser: FrameDenoiser(manifest: manifest, engine: FakeEngine()))
    let frame = try fourTileFrame(manifest)
    var steps: [Int] = []
    let result = try job.run(frame, gain: 16, stop: StopSwitch()) { done, all in
      XCTAssertEqual(all, 4)
      steps.append(done)
    }
    XCTAssertEqual(steps, [1, 2, 3, 4])
    XCTAssertEqual(result.frame, frame)
    XCTAssertEqual(result.gain, 16)
    XCTAssertEqual(result.member, 2)
    XCTAssertGreaterThan(result.millisecondsPerMegapixel, 0)
  }

  func testAStopEndsTheRunBeforeTheNextTile() throws {
    for reason in [StopReason.user, .background, .memory] {
      let engine = FakeEngine()
      let stop = StopSwitch()
      let manifest = try testBundle().manifest
      let job = DenoiseJob(denoiser: FrameDenoiser(manifest: manifest, engine: engine))
      let frame = try fourTileFrame(manifest)
      XCTAssertThrowsError(
        try job.run(frame, gain: 16, stop: stop) { done, _ in
          if done == 2 {
            stop.stop(reason)
            stop.stop(.user)
          }
        }
      ) { XCTAssertEqual($0 as? Stopped, Stopped(reason: reason)) }
      XCTAssertEqual(engine.calls.count, 2)
    }
  }

  func testAStopInTheLastTileGivesNoResult() throws {
    let stop = StopSwitch()
    let job = DenoiseJob(
      denoiser: FrameDenoiser(manifest: try testBundle().manifest, engine: FakeEngine()))
    let frame = try testFrame(rows: 64, columns: 64)
    XCTAssertThrowsError(
      try job.run(frame, gain: 1, stop: stop) { _, _ in stop.stop(.background) })
  }

  func testAnEnginesErrorEndsTheRun() throws {
    struct Failed: Error {}
    let engine = FakeEngine { _, _, _, _ in throw Failed() }
    let job = DenoiseJob(
      denoiser: FrameDenoiser(manifest: try testBundle().manifest, engine: engine))
    let frame = try testFrame(rows: 64, columns: 64)
    XCTAssertThrowsError(try job.run(frame, gain: 1, stop: StopSwitch()) { _, _ in }) {
      XCTAssertTrue($0 is Failed)
    }
  }
}
