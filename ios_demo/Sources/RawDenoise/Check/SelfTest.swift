import Foundation

/// One golden vector: how far the engine is from the float reference and from the truth.
public struct VectorResult: Equatable, Sendable {
  public let name: String
  public let a: Double
  public let member: Int
  public let maxAbsDN: Double
  /// RMS difference over the RMS of the noise that was in the input.
  public let noiseRatio: Double
  /// Mean squared error against the truth, of the engine and of the float reference.
  public let squaredError: Double
  public let referenceSquaredError: Double
  /// Whether the nearest reference of the same input is the right member's.
  public let memberAgrees: Bool
}

public struct SelfTestReport: Equatable, Sendable {
  public let bundle: String
  public let tableRows: Int
  public let vectors: [VectorResult]
  /// Empty when the bundle passed.
  public let problems: [String]

  public var passed: Bool { problems.isEmpty }

  /// PSNR lost against the truth, errors pooled over the vectors, each over its shot noise.
  public var psnrLossDB: Double? { SelfTest.psnrLoss(vectors) }
}

/// Replays the golden table, then every golden vector through the engine, as `fa-mobile verify` does.
public struct SelfTest {
  public let bundle: ModelBundle
  private let denoiser: FrameDenoiser

  public init(bundle: ModelBundle, engine: any Engine) {
    self.bundle = bundle
    denoiser = FrameDenoiser(manifest: bundle.manifest, engine: engine)
  }

  /// - Throws: `DenoiseError` for a bundle without a table, what the engine or `checkCancelled`
  ///   throws. Disagreement is not thrown: it stands in the report.
  public func run(
    progress: (Int, Int) -> Void = { _, _ in }, checkCancelled: () throws -> Void = {}
  ) throws -> SelfTestReport {
    let replay = TableReplay(
      table: try GoldenTable.read(from: bundle), manifest: bundle.manifest)
    var problems = replay.problems()
    let vectors = bundle.manifest.golden
    var results: [VectorResult] = []
    for (index, vector) in vectors.enumerated() {
      try checkCancelled()
      results.append(try check(vector))
      progress(index + 1, vectors.count)
    }
    problems += results.flatMap(self.problems) + lossProblems(results)
    return SelfTestReport(
      bundle: bundle.manifest.name, tableRows: replay.rows, vectors: results, problems: problems)
  }

  static func psnrLoss(_ vectors: [VectorResult]) -> Double? {
    if vectors.isEmpty { return nil }
    let engine = vectors.reduce(0) { $0 + $1.squaredError / $1.a }
    let reference = vectors.reduce(0) { $0 + $1.referenceSquaredError / $1.a }
    return 10 * log10(engine / reference)
  }

  private func check(_ vector: GoldenVector) throws -> VectorResult {
    let raw = try bundle.goldenRaw(vector)
    let reference = try bundle.goldenReference(vector)
    let truth = try bundle.goldenTruth(vector)
    let output = try denoiser.denoiseExactly(raw, scalars: scalars(vector))
    let input = raw.samples.map { Float($0) }
    let difference = meanSquare(output.samples, reference.samples)
    return VectorResult(
      name: vector.name, a: vector.a, member: vector.member,
      maxAbsDN: zip(output.samples, reference.samples).reduce(0) { worst, pair in
        // NaN has to win: a plain max() would drop it.
        let off = Double(abs(pair.0 - pair.1))
        return off.isNaN || worst.isNaN ? .nan : max(worst, off)
      },
      noiseRatio: (difference / meanSquare(input, truth.samples)).squareRoot(),
      squaredError: meanSquare(output.samples, truth.samples),
      referenceSquaredError: meanSquare(reference.samples, truth.samples),
      memberAgrees: try nearestMember(to: output, vector) == vector.member)
  }

  private func scalars(_ vector: GoldenVector) throws -> [Float] {
    if bundle.manifest.selector == .noiseProfile { return [Float(vector.a), Float(vector.b)] }
    guard let gain = vector.gain else {
      throw DenoiseError("golden vector \(vector.name) has no gain; export the bundle again")
    }
    return [Float(gain)]
  }

  /// Vectors on either side of an edge share their input: a wrong selection shows as an output that
  /// is nearest to the other member's reference.
  private func nearestMember(to output: Mosaic<Float>, _ vector: GoldenVector) throws -> Int {
    let rivals = bundle.manifest.golden.filter { $0.raw == vector.raw }
    let distances = try rivals.map {
      meanSquare(output.samples, try bundle.goldenReference($0).samples)
    }
    let nearest = distances.indices.min { distances[$0] < distances[$1] }
    return nearest.map { rivals[$0].member } ?? -1
  }

  private func problems(_ result: VectorResult) -> [String] {
    let limits = bundle.manifest.tolerance
    let place = "vector \(result.name) (member \(result.member))"
    if !result.maxAbsDN.isFinite { return ["\(place): the output is not finite"] }
    var found: [String] = []
    if !result.memberAgrees { found.append("\(place): another member answered") }
    if let most = limits.maxAbsDN, result.maxAbsDN > most {
      found.append("\(place): off by \(result.maxAbsDN) DN, allowed \(most)")
    }
    if result.noiseRatio > limits.maxNoiseRatio {
      found.append(
        "\(place): differs by \(result.noiseRatio) of the noise, allowed \(limits.maxNoiseRatio)")
    }
    return found
  }

  private func lossProblems(_ results: [VectorResult]) -> [String] {
    let most = bundle.manifest.tolerance.maxPSNRLossDB
    guard let loss = Self.psnrLoss(results), !(loss <= most) else { return [] }
    return ["\(loss) dB are lost against ground truth, allowed \(most)"]
  }
}

private func meanSquare(_ x: [Float], _ y: [Float]) -> Double {
  zip(x, y).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) } / Double(x.count)
}
