# The programs' folder, for logins whose PATH lacks it.
case ":$PATH:" in
*:/usr/local/bin:*) ;;
*) PATH=/usr/local/bin:$PATH && export PATH ;;
esac
