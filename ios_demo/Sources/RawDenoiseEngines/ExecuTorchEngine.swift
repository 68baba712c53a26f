#if canImport(ExecuTorch)
  import ExecuTorch
  import Foundation
  import RawDenoise

  /// A `.pte` in ExecuTorch. Both forms of the export: one callable, or `select` and the members.
  public final class ExecuTorchEngine: Engine {
    /// The Swift interface does not tell its version: the one that `project.yml` pins.
    public static let version = "1.4.1"

    public let runtime = (name: "executorch", version: ExecuTorchEngine.version)
    private let module: Module
    private let isOneCall: Bool

    /// - Throws: `DenoiseError` when the file is no model for this app.
    public init(file: URL) throws {
      module = Module(filePath: file.path)
      do {
        try module.load()
        let methods = try module.methodNames()
        isOneCall = methods.contains("forward")
        guard isOneCall || methods.contains("select") else {
          throw DenoiseError("it has the methods \(methods.sorted()), not forward or select")
        }
        if isOneCall { try module.load("forward") }
      } catch {
        throw DenoiseError(
          "\(file.lastPathComponent) does not load in ExecuTorch \(Self.version) (\(error)); "
            + "export the bundle again with that version")
      }
    }

    public func run(_ raw: [Float], rows: Int, columns: Int, scalars: [Float]) throws -> [Float] {
      let mosaic = Tensor<Float>(raw, shape: [1, 1, rows, columns])
      let given = scalars.map { Tensor<Float>([$0], shape: [1]) }
      if isOneCall {
        return try samples(module.execute("forward", [mosaic] + given).first)
      }
      let (noise, index) = try select(given)
      return try samples(module.execute("denoise_\(index)", [mosaic] + noise).first)
    }

    /// a and b, and the member that serves them. By gain `select` gives all three.
    private func select(_ given: [Tensor<Float>]) throws -> ([Tensor<Float>], Int64) {
      let chosen: [Value] = try module.execute("select", given)
      let noise: [Tensor<Float>] = given.count == 2 ? given : chosen.compactMap { $0.tensor() }
      guard noise.count == 2, let index: Tensor<Int64> = chosen.last?.tensor(),
        let member = index.scalars().first
      else {
        throw DenoiseError("the model's 'select' gave no member; export the bundle again")
      }
      return (noise, member)
    }

    private func samples(_ value: Value?) throws -> [Float] {
      guard let tensor: Tensor<Float> = value?.tensor() else {
        throw DenoiseError("the model gave no float samples; export the bundle again")
      }
      return tensor.scalars()
    }
  }
#endif
