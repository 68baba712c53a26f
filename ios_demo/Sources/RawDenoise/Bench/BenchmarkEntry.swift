/// One bundle at one size.
public struct BenchmarkEntry: Encodable, Sendable {
  public let bundle: String
  public let sumsSHA256: String
  public let target: Manifest.Target
  public let precision: Manifest.Precision
  public let network: String
  public let weights = "trained"
  public let width: Int
  public let height: Int
  /// Calls of the model per frame.
  public let tiles: Int
  public let counts: Counts
  @OrNull public var timing: Timing?
  @OrNull public var start: Start?
  @OrNull private var memory: Int?
  @OrNull private var operators: Int?
  @OrNull private var ratio: Int?
  @OrNull private var traffic: Int?
  @OrNull private var roof: Int?
  public let missing: [String: String]

  enum CodingKeys: String, CodingKey {
    case bundle, target, precision, network, weights, width, height, tiles, counts, timing, start
    case memory, operators, ratio, traffic, roof, missing
    case sumsSHA256 = "sums_sha256"
  }

  public struct Counts: Encodable, Sendable {
    public let nominal: Double
    public let executed: Double
    public let modelBytes: Int
    public let bundleBytes: Int
    @OrNull public var arenaBytes: Int?
    public let delegated: Int
    public let undelegated: Int
    private let instructions: [String: Double] = [:]

    enum CodingKeys: String, CodingKey {
      case delegated, undelegated
      case nominal = "nominal_gmacs_per_mp"
      case executed = "executed_gmacs_per_mp"
      case modelBytes = "model_bytes"
      case bundleBytes = "bundle_bytes"
      case arenaBytes = "arena_bytes"
      case instructions = "instructions_per_mp"
    }
  }

  public struct Timing: Encodable, Sendable {
    public let samples: [Double]
    public let callsPerSample = 1
    public let started: [Double]
    public let minimum: Double
    public let median: Double
    public let p90: Double
    public let perMegapixel: Double

    enum CodingKeys: String, CodingKey {
      case samples = "samples_ms"
      case callsPerSample = "calls_per_sample"
      case started = "started_s"
      case minimum = "min_ms"
      case median = "median_ms"
      case p90 = "p90_ms"
      case perMegapixel = "ms_per_mp"
    }

    init(_ samples: [Double], started: [Double], megapixels: Double) {
      self.samples = samples
      self.started = started
      minimum = samples.min() ?? 0
      median = Statistics.median(samples)
      p90 = Statistics.p90(samples)
      perMegapixel = median / megapixels
    }
  }

  public struct Start: Encodable, Sendable {
    public let load: Double
    public let first: Double

    enum CodingKeys: String, CodingKey {
      case load = "load_ms"
      case first = "first_ms"
    }
  }

  /// - Throws: `DenoiseError` when the bundle's files cannot be read.
  init(
    bundle: ModelBundle, rows: Int, columns: Int, tiles: Int, timing: Timing, start: Start?
  ) throws {
    let manifest = bundle.manifest
    self.bundle = manifest.name
    sumsSHA256 = try FileDigest.sha256(of: bundle.url(of: Checksums.file))
    target = manifest.target
    precision = manifest.precision
    network = manifest.network.name
    width = columns
    height = rows
    self.tiles = tiles
    counts = Counts(
      nominal: manifest.network.gmacsPerMP, executed: manifest.network.executedGMACsPerMP,
      modelBytes: manifest.modelBytes, bundleBytes: try Checksums.totalBytes(of: bundle.folder),
      arenaBytes: manifest.plannedMemoryBytes,
      delegated: manifest.delegated.values.reduce(0, +),
      undelegated: manifest.undelegated.values.reduce(0, +))
    var missing = [
      "instructions_per_mp": "not run: no instructions are counted on a phone",
      "memory": "not run: the app is one process with its camera and pictures",
      "operators": "not run: the app takes no profile",
      "ratio": "not run: the app times one bundle",
      "traffic": "not run: the app derives no traffic",
      "roof": "not run: it needs a ceiling",
    ]
    if manifest.plannedMemoryBytes == nil {
      missing["arena_bytes"] = "not available: the runtime does not state it"
    }
    if start == nil {
      missing["start"] = "not run: the bundle was in use before in this process"
    }
    self.missing = missing
    self.timing = timing
    self.start = start
  }
}
