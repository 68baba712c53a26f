// What the app uses of Photos, for type checks on Linux. Nothing runs.
import Foundation

public enum PHAccessLevel { case addOnly, readWrite }
public enum PHAuthorizationStatus { case notDetermined, restricted, denied, authorized, limited }
public enum PHAssetResourceType { case photo, alternatePhoto }
public final class PHAssetResourceCreationOptions {}

public final class PHPhotoLibrary: @unchecked Sendable {
  public static func shared() -> PHPhotoLibrary { fatalError("a stub") }
  public static func requestAuthorization(for level: PHAccessLevel) async -> PHAuthorizationStatus {
    fatalError("a stub")
  }
  public func performChanges(_ block: @escaping () -> Void) async throws { fatalError("a stub") }
}

public final class PHAssetCreationRequest {
  public static func forAsset() -> PHAssetCreationRequest { fatalError("a stub") }
  public func addResource(
    with type: PHAssetResourceType, fileURL: URL, options: PHAssetResourceCreationOptions?
  ) {}
}
