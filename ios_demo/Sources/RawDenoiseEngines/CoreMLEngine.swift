#if canImport(CoreML)
  import CoreML
  import Foundation
  import RawDenoise

  /// A bundle's Core ML packages: the single callable, or from iOS 18 on the file of functions, of
  /// which only the member in use is loaded.
  public final class CoreMLEngine: Engine {
    private enum Form {
      case call(MLModel)
      case functions(select: MLModel, package: URL)
    }

    public let runtime: (name: String, version: String)
    private let form: Form
    private let byGain: Bool
    private let units: MLComputeUnits
    private var member: (index: Int, model: MLModel)?

    /// - Parameter cache: where compiled models are kept, named after the bundle's hash.
    /// - Throws: `DenoiseError` when a package is missing or does not compile.
    public static func load(
      _ bundle: ModelBundle, cache: URL, units: MLComputeUnits = .all,
      isolation: isolated (any Actor)? = #isolation
    ) async throws -> CoreMLEngine {
      let functions = bundle.manifest.files.first { $0.hasSuffix("-ios18.mlpackage") }
      if #available(iOS 18.0, macOS 15.0, *), let functions {
        let package = try await compiled(functions, of: bundle, cache: cache)
        let select = try model(package, function: "select", units: .cpuOnly)
        return CoreMLEngine(bundle, .functions(select: select, package: package), units)
      }
      let package = try await compiled(bundle.manifest.files[0], of: bundle, cache: cache)
      let configuration = MLModelConfiguration()
      configuration.computeUnits = units
      return CoreMLEngine(
        bundle, .call(try MLModel(contentsOf: package, configuration: configuration)), units)
    }

    private init(_ bundle: ModelBundle, _ form: Form, _ units: MLComputeUnits) {
      self.form = form
      self.units = units
      byGain = bundle.manifest.selector == .gain
      // Core ML is a part of the system and has its version.
      runtime = ("coreml", ProcessInfo.processInfo.operatingSystemVersionString)
    }

    public func run(_ raw: [Float], rows: Int, columns: Int, scalars: [Float]) throws -> [Float] {
      let mosaic = MLShapedArray<Float>(scalars: raw, shape: [1, 1, rows, columns])
      switch form {
      case .call(let model):
        return try denoise(model, mosaic, byGain ? ["gain"] : ["a", "b"], scalars)
      case .functions(let select, let package):
        guard #available(iOS 18.0, macOS 15.0, *) else { throw CoreMLEngine.tooOld }
        let (a, b, index) = try choose(select, scalars)
        return try denoise(loaded(index, package), mosaic, ["a", "b"], [a, b])
      }
    }

    private func choose(_ select: MLModel, _ scalars: [Float]) throws -> (Float, Float, Int) {
      let result = try select.prediction(
        from: features(byGain ? ["gain"] : ["a"], Array(scalars.prefix(1))))
      guard let index = result.featureValue(for: "index")?.multiArrayValue?[0].intValue else {
        throw DenoiseError("the model's 'select' gave no member; export the bundle again")
      }
      if !byGain { return (scalars[0], scalars[1], index) }
      guard let a = result.featureValue(for: "a")?.multiArrayValue?[0].floatValue,
        let b = result.featureValue(for: "b")?.multiArrayValue?[0].floatValue
      else {
        throw DenoiseError("the model's 'select' gave no noise; export the bundle again")
      }
      return (a, b, index)
    }

    /// One member is kept: the next capture mostly has the same gain, and memory is short.
    @available(iOS 18.0, macOS 15.0, *)
    private func loaded(_ index: Int, _ package: URL) throws -> MLModel {
      if let member, member.index == index { return member.model }
      member = nil
      let model = try CoreMLEngine.model(package, function: "denoise_\(index)", units: units)
      member = (index, model)
      return model
    }

    private func denoise(
      _ model: MLModel, _ mosaic: MLShapedArray<Float>, _ names: [String], _ scalars: [Float]
    ) throws -> [Float] {
      let result = try model.prediction(from: features(names, scalars, mosaic))
      guard let denoised = result.featureValue(for: "denoised")?.multiArrayValue else {
        throw DenoiseError("the model gave no 'denoised'; export the bundle again")
      }
      // Rows of the result may be padded; the shaped array leaves the padding out.
      return MLShapedArray<Float>(converting: denoised).scalars
    }

    private func features(
      _ names: [String], _ scalars: [Float], _ mosaic: MLShapedArray<Float>? = nil
    ) throws -> MLDictionaryFeatureProvider {
      var values: [String: Any] = [:]
      for (name, value) in zip(names, scalars) {
        values[name] = MLMultiArray(MLShapedArray<Float>(scalars: [value], shape: [1]))
      }
      if let mosaic { values["raw"] = MLMultiArray(mosaic) }
      return try MLDictionaryFeatureProvider(dictionary: values)
    }

    @available(iOS 18.0, macOS 15.0, *)
    private static func model(_ package: URL, function: String, units: MLComputeUnits) throws
      -> MLModel
    {
      let configuration = MLModelConfiguration()
      configuration.computeUnits = units
      configuration.functionName = function
      return try MLModel(contentsOf: package, configuration: configuration)
    }

    /// Compiling takes seconds: the result is kept until the bundle changes.
    private static func compiled(_ name: String, of bundle: ModelBundle, cache: URL) async throws
      -> URL
    {
      let sums = try FileDigest.sha256(of: bundle.url(of: Checksums.file)).prefix(16)
      let kept = cache.appendingPathComponent("\(sums)-\(name).mlmodelc", isDirectory: true)
      let files = FileManager.default
      if files.fileExists(atPath: kept.path) { return kept }
      do {
        let made = try await MLModel.compileModel(at: bundle.url(of: name))
        try files.createDirectory(at: cache, withIntermediateDirectories: true)
        try files.moveItem(at: made, to: kept)
        return kept
      } catch {
        throw DenoiseError(
          "\(name) does not compile in Core ML (\(error.localizedDescription)); "
            + "free some storage, or export the bundle again")
      }
    }

    private static let tooOld = DenoiseError("functions need iOS 18; take the single callable")
  }
#endif
