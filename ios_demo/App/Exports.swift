#if canImport(Photos)
  import Foundation
  import Photos
  import RawDenoise

  /// Results as files, for the share sheet and for Photos.
  enum Exports {
    static func write(_ frame: RawFrame, named name: String) throws -> URL {
      let place = folder().appendingPathComponent("\(name).dng")
      try SafeFile.write(DNGWriter.encode(frame), to: place)
      return place
    }

    static func write(_ report: BenchmarkReport, of bundle: ModelBundle) throws -> URL {
      let kind = report.settings.kind.rawValue
      let place = folder().appendingPathComponent("\(bundle.manifest.name)-\(kind).json")
      try SafeFile.write(report.json(), to: place)
      return place
    }

    /// - Throws: `DenoiseError` when Photos refuses; the file stays where it is.
    static func addToPhotos(_ file: URL) async throws {
      guard await PHPhotoLibrary.requestAuthorization(for: .addOnly) == .authorized else {
        throw DenoiseError(
          "the app may not add to Photos; allow it in Settings > Privacy > Photos, "
            + "or share the file to Files")
      }
      do {
        try await PHPhotoLibrary.shared().performChanges {
          PHAssetCreationRequest.forAsset().addResource(with: .photo, fileURL: file, options: nil)
        }
      } catch {
        throw DenoiseError(
          "Photos did not take \(file.lastPathComponent) (\(error.localizedDescription)); "
            + "free some storage, or share the file to Files")
      }
    }

    private static func folder() -> URL {
      FileManager.default.urls(for: .documentDirectory, in: .userDomainMask)[0]
    }
  }
#endif
