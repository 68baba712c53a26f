import XCTest

@testable import RawDenoise

/// The engine of these tests answers with stored references: that the verdict is right is tested
/// here, that a model is right only where a model runs.
final class SelfTestTests: XCTestCase {
  private var bundle: ModelBundle!

  override func setUpWithError() throws {
    bundle = try testBundle()
  }

  func testTheReferencesThemselvesPass() throws {
    var steps = 0
    let report = try SelfTest(bundle: bundle, engine: try replaying()).run(
      progress: { _, _ in steps += 1 })
    XCTAssertEqual(report.problems, [])
    XCTAssertTrue(report.passed)
    XCTAssertEqual(report.vectors.count, bundle.manifest.golden.count)
    XCTAssertEqual(steps, bundle.manifest.golden.count)
    XCTAssertEqual(try XCTUnwrap(report.psnrLossDB), 0, accuracy: 1e-9)
  }

  func testTheNoisyInputFails() throws {
    let report = try SelfTest(bundle: bundle, engine: FakeEngine()).run()
    XCTAssertTrue(report.problems.contains { $0.contains("of the noise, allowed") })
    XCTAssertTrue(report.problems.contains { $0.contains("dB are lost") })
  }

  func testAnotherMembersAnswerIsFound() throws {
    let swapped = try replaying { vector, all in
      all.first { $0.raw == vector.raw && $0.member != vector.member } ?? vector
    }
    let report = try SelfTest(bundle: bundle, engine: swapped).run()
    XCTAssertTrue(report.problems.contains { $0.contains("another member answered") })
  }

  func testValuesThatAreNoNumbersFail() throws {
    let broken = FakeEngine { raw, _, _, _ in raw.map { _ in .nan } }
    let report = try SelfTest(bundle: bundle, engine: broken).run()
    XCTAssertTrue(report.problems.contains { $0.contains("not finite") })
  }

  func testItCanBeStopped() throws {
    let stop = StopSwitch()
    stop.stop(.user)
    XCTAssertThrowsError(
      try SelfTest(bundle: bundle, engine: FakeEngine()).run(checkCancelled: stop.check))
  }

  func testACutOffVectorIsAMessage() throws {
    let copy = try BundleCopy()
    let name = bundle.manifest.golden[0].raw
    let damaged = ModelBundle(unchecked: copy.folder, bundle.manifest)
    try Data(count: 10).write(to: copy.url(name))
    XCTAssertTrue(
      message { _ = try damaged.goldenRaw(bundle.manifest.golden[0]) }.contains("bytes"))
  }

  private typealias Choice = (GoldenVector, [GoldenVector]) -> GoldenVector

  /// Knows a vector by its samples and its gain, and answers with the chosen one's reference.
  private func replaying(_ choose: Choice = { vector, _ in vector }) throws -> FakeEngine {
    let (bundle, manifest) = (bundle!, bundle.manifest)
    var answers: [[Float]: [Float]] = [:]
    for vector in manifest.golden {
      let raw = try bundle.goldenRaw(vector).samples.map { Float($0) }
      let reference = try bundle.goldenReference(choose(vector, manifest.golden))
      answers[raw + [Float(vector.gain ?? vector.a)]] = reference.samples
    }
    return FakeEngine { raw, rows, columns, scalars in
      // Vectors are 96 x 96 at the origin of what a model of a fixed size is given.
      let side = manifest.golden[0].width
      let inner = (0..<side).flatMap { raw[$0 * columns..<$0 * columns + side] }
      guard let answer = answers[inner + [scalars[0]]] else {
        throw DenoiseError("no vector has this input")
      }
      var result = raw
      for row in 0..<side {
        result.replaceSubrange(
          row * columns..<row * columns + side, with: answer[row * side..<(row + 1) * side])
      }
      return result
    }
  }
}
