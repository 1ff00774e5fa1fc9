import com.jcraft.jsch.ChannelSftp;
import com.jcraft.jsch.JSch;
import com.jcraft.jsch.Session;
import com.jcraft.jsch.UIKeyboardInteractive;
import com.jcraft.jsch.UserInfo;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** The steps of the matrix by JSch, as programs in Java use it. Standard input: user, password, key, login, known hosts, and a step a line. */
public class Jsch {
  record Asked(String password) implements UserInfo, UIKeyboardInteractive {
    public String[] promptKeyboardInteractive(String destination, String name, String instruction, String[] prompts, boolean[] echo) {
      String[] answers = new String[prompts.length];
      java.util.Arrays.fill(answers, password);
      return answers;
    }
    public String getPassphrase() { return null; }
    public String getPassword() { return password; }
    public boolean promptPassword(String message) { return true; }
    public boolean promptPassphrase(String message) { return false; }
    public boolean promptYesNo(String message) { return false; }
    public void showMessage(String message) {}
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String user = in.readLine();
    String password = in.readLine();
    String key = in.readLine();
    String login = in.readLine();
    JSch jsch = new JSch();
    jsch.setKnownHosts(in.readLine());
    if (!key.isEmpty()) jsch.addIdentity(key);
    Session session = jsch.getSession(user, "127.0.0.1", Integer.parseInt(arguments[0]));
    session.setUserInfo(new Asked(password));
    if (!login.equals("interactive") && !password.isEmpty()) session.setPassword(password);
    String methods = login.equals("both") ? "publickey,password" : login.equals("key") ? "publickey" : login.equals("interactive") ? "keyboard-interactive" : "password";
    session.setConfig("PreferredAuthentications", methods);
    session.connect(20_000);
    ChannelSftp sftp = (ChannelSftp) session.openChannel("sftp");
    sftp.connect();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] step = line.split("\t");
      String path = step[1].replaceAll("([\\\\*?\\[])", "\\\\$1");
      switch (step[0]) {
        case "put" -> sftp.put(step[1], step[3], ChannelSftp.OVERWRITE);
        case "get" -> sftp.get(path, step[3]);
        case "resumePut" -> sftp.put(step[1], step[3], ChannelSftp.RESUME);
        case "resumeGet" -> sftp.get(path, step[3], null, ChannelSftp.RESUME);
        case "list" -> sftp.ls(path).forEach(System.out::println);
        case "rename" -> sftp.rename(step[1], step[3]);
        case "mkdir" -> sftp.mkdir(step[1]);
        case "rmdir" -> sftp.rmdir(step[1]);
        case "remove" -> sftp.rm(path);
        default -> throw new IllegalArgumentException(line);
      }
    }
    sftp.exit();
    session.disconnect();
  }
}
