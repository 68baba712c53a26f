/// A loaded model: ExecuTorch, Core ML, or a stand-in of the tests.
public protocol Engine: AnyObject {
  /// The runtime and its version, for reports.
  var runtime: (name: String, version: String) { get }

  /// One call of the model.
  ///
  /// - Parameters:
  ///   - raw: DN, RGGB at the origin, row by row.
  ///   - scalars: the gain, or a and b, as the manifest's inputs have them.
  /// - Returns: denoised DN of the same shape.
  func run(_ raw: [Float], rows: Int, columns: Int, scalars: [Float]) throws -> [Float]
}
